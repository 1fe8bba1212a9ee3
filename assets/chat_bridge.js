// What Panel loads. The page's own scripts are loaded by the browser itself, beside Bokeh's: through es-module-shims each
// of them would be fetched only after Bokeh, read, and handed on as a blob of its own.

export const render = (given) => window.llmUi.connectChat(given)
