// One file on its way to the server, over plain HTTP.

// `act` has progressed(share from 0 to 1) and ended(request). Returns the request, which can be cut off.
export function upload(address, source, name, act) {
  const request = new XMLHttpRequest()
  request.open("POST", address)
  request.responseType = "json"
  request.setRequestHeader("X-XSRFToken", document.querySelector("#sign-out [name=_xsrf]").value)
  request.setRequestHeader("X-File-Name", encodeURIComponent(name))
  request.setRequestHeader("Content-Type", "application/octet-stream")
  request.upload.addEventListener("progress", (event) => act.progressed(event.lengthComputable ? event.loaded / event.total : 0))
  request.addEventListener("loadend", () => {
    if (request.status === 401) window.llmUi.goToSignIn()
    act.ended(request)
  })
  request.send(source)
  return request
}
