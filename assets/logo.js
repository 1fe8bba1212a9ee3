// The workspace's logo on the page of all settings: sent as it is, the server draws it anew in all sizes.

import { make } from "./parts.js"
import { upload } from "./upload.js"

const TYPES = "image/png,image/jpeg,image/webp,image/gif"

const Logo = {
  render({ model }) {
    const picture = make("img", { class: "logo", alt: t("The logo"), width: 56, height: 56 })
    const said = make("p", { class: "hint", role: "status" })
    const chosen = make("input", { type: "file", accept: TYPES, id: "logo" })
    const reset = make("button", { class: "button quiet small", type: "button", onclick: () => model.send_msg({ action: "reset" }) }, t("Back to ours"))
    const field = make("div", { class: "field" }, make("label", { for: "logo" }, t("New logo: PNG, JPEG, GIF or WebP, best square")), chosen, said)

    function ended({ status, response }) {
      chosen.disabled = false
      chosen.value = ""
      if (status === 201) {
        said.textContent = ""
        model.send_msg({ action: "taken" })
      } else said.textContent = response?.error?.message ?? t("The upload failed. Try again.")
    }
    chosen.addEventListener("change", () => {
      const file = chosen.files[0]
      if (!file) return
      chosen.disabled = true
      said.textContent = t("Uploading {name} …", { name: file.name })
      upload("/admin/logo", file, file.name, { progressed() {}, ended })
    })

    const draw = () => {
      picture.src = model.address
      reset.hidden = model.is_ours
    }
    model.on(["address", "is_ours"], draw)
    draw()
    return make("div", { class: "logo-line" }, picture, field, reset)
  },
}

export default { Logo }
