// One's picture: sent as it is, the server draws it small.

const form = document.getElementById("picture")
const chosen = form.elements.file
const said = form.querySelector(".problem")

chosen.addEventListener("change", async () => {
  const file = chosen.files[0]
  if (!file) return
  said.textContent = t("Uploading {name} …", { name: file.name })
  try {
    const answer = await fetch("/picture/upload", {
      method: "POST",
      headers: { "X-XSRFToken": form.elements._xsrf.value, "X-File-Name": encodeURIComponent(file.name) },
      body: file,
    })
    if (answer.ok) return location.reload()
    said.textContent = (await answer.json()).error?.message ?? t("The upload failed. Try again.")
  } catch {
    said.textContent = t("The connection broke off. Upload the file again.")
  }
  chosen.value = ""
})
