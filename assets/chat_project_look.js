// How projects look: a colour and an icon each, and the fields in which they are picked.

import { make, pathIcon } from "./dom.js"

const COLORS = {
  grey: t("Grey"), red: t("Red"), orange: t("Orange"), green: t("Green"), teal: t("Teal"), blue: t("Blue"), violet: t("Violet"), pink: t("Pink"),
}
// Each with its name and its path.
const ICONS = {
  folder: [t("Folder"), "M3 7a2 2 0 0 1 2-2h4l2 2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z"],
  book: [t("Book"), "M12 6c-2-1.500-5-2-8-2v14c3 0 6 .5 8 2 2-1.500 5-2 8-2V4c-3 0-6 .5-8 2zM12 6v14"],
  briefcase: [t("Briefcase"), "M4 8h16a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1zM9 8V5h6v3M3 13h18"],
  calendar: [t("Calendar"), "M5 6h14a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1zM4 11h16M8 3v5M16 3v5"],
  chart: [t("Chart"), "M4 4v16h16M8 16v-5M12.500 16V7M17 16v-8"],
  code: [t("Code"), "M8 7l-5 5 5 5M16 7l5 5-5 5M14 4l-4 16"],
  flask: [t("Flask"), "M9 3h6M10 3v6l-5.500 9.500A1.700 1.700 0 0 0 6 21h12a1.700 1.700 0 0 0 1.500-2.500L14 9V3M7.500 15h9"],
  globe: [t("Globe"), "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c3 3 3.500 6 3.500 9s-.5 6-3.500 9M12 3c-3 3-3.500 6-3.500 9s.5 6 3.500 9"],
  heart: [t("Heart"), "M12 20S3.500 15 3.500 9A4.500 4.500 0 0 1 12 7a4.500 4.500 0 0 1 8.500 2c0 6-8.500 11-8.500 11z"],
  house: [t("House"), "M3 11l9-8 9 8M5.500 9v11h13V9M10 20v-6h4v6"],
  lamp: [t("Light bulb"), "M9 18h6M10 21h4M8.500 15.500a6 6 0 1 1 7 0c-.6.5-.5 1.500-.5 2.500H9c0-1 .1-2-.5-2.500z"],
  leaf: [t("Leaf"), "M5 19C4 9 10 5 20 4c0 10-3 16-11 16-1.500 0-3-.4-4-1zM4 21c3-6 6-9 10-11"],
  music: [t("Music"), "M9 18V6l10-2v12M9 18a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0zM19 16a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0z"],
  people: [t("People"), "M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20c0-4 3-6 6.500-6s6.500 2 6.500 6M16 4.500a3.500 3.500 0 0 1 0 6M18 14.500c2.200.8 3.500 2.700 3.500 5.500"],
  star: [t("Star"), "M12 3l2.800 5.900 6.200.8-4.500 4.400 1.100 6.400L12 17.400 6.400 20.500l1.100-6.400L3 9.700l6.200-.8z"],
  wrench: [t("Wrench"), "M20 7l-3.500 3.500-3-3L17 4a5 5 0 0 0-6.500 6.500L4 17a2.100 2.100 0 0 0 3 3l6.500-6.500A5 5 0 0 0 20 7z"],
}

export function projectIcon({ color = "grey", icon = "folder" }) {
  const node = pathIcon(ICONS[icon][1])
  node.classList.add("tint", `tint-${color}`)
  return node
}

// One of a few, each shown by a picture that has a name.
function choice(legend, name, options, chosen, changed) {
  const group = make("fieldset", `look look-${name}`)
  group.append(make("legend", "", legend))
  for (const [value, label, picture] of options) {
    const line = make("label")
    line.title = label
    const button = Object.assign(make("input"), { type: "radio", name: `project-${name}`, value, checked: value === chosen })
    button.setAttribute("aria-label", label)
    button.addEventListener("change", () => changed(value))
    line.append(button, picture)
    group.append(line)
  }
  return group
}

// The fields of a form in which they are picked; `look` has color and icon, and keeps what is picked. The node's
// `take(other)` picks what another project has.
export function lookFields(look) {
  const place = make("div", `looks tint-${look.color}`)
  const colors = Object.entries(COLORS).map(([value, label]) => [value, label, make("span", `swatch tint-${value}`)])
  const icons = Object.entries(ICONS).map(([value, [label, path]]) => [value, label, pathIcon(path)])
  const tint = (color) => {
    look.color = color
    place.className = `looks tint-${color}`
  }
  place.take = ({ color, icon }) => {
    for (const value of [color, icon]) place.querySelector(`input[value="${value}"]`).checked = true
    tint(color)
    look.icon = icon
  }
  place.append(choice(t("Colour"), "color", colors, look.color, tint), choice(t("Icon"), "icon", icons, look.icon, (icon) => { look.icon = icon }))
  return place
}
