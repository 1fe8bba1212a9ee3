// A shared chat: everything is there already but the drawing of formulas.

import { drawMaths } from "./chat_maths.js"

drawMaths(document)
for (const place of document.querySelectorAll(".code pre, .table")) place.tabIndex = 0
