// Events: a title, a date, who comes; never with "[time, date] sender: ".

import { h, icon, plainIcon } from "../../dom.js";
import * as parts from "../parts.js";
import { TEXT_CLASS, shortText } from "../text.js";

export function event(entry, tools) {
  const { row, own, sender } = entry;
  const { name, description, place, starts_in: startsIn } = row.body;
  const begins = new Date((row.t + startsIn) * 1000);
  const day = { weekday: "short", month: "short", day: "numeric", timeZone: tools.config().timezone };
  const when = `${new Intl.DateTimeFormat("en-US", day).format(begins)}, ${tools.format.time(row.t + startsIn)}`;
  const host = own ? "You" : sender.name;
  const label = `Event: ${name} Description: ${description}.${when}. 1 attendee ${host}`;
  const title = h(
    "span",
    { "data-testid": "selectable-text", dir: "auto", class: TEXT_CLASS, style: "min-height: 0px" },
    shortText(name),
  );
  const card = h(
    "button",
    { tabindex: "0", "aria-disabled": "false", type: "button", class: "card" },
    h(
      "div",
      {},
      h("div", {}, plainIcon("ic-calendar-month")),
      h(
        "div",
        {},
        h("div", {}, title),
        h("div", {}, when),
        place ? h("div", {}, place) : null,
        h("div", {}, h("div", {}, h("div", {}, parts.avatar(18))), h("div", {}, "1 going")),
        h("div", {}, parts.meta(entry, tools)),
      ),
    ),
  );
  const respond = h(
    "button",
    { "aria-disabled": "true", role: "button", tabindex: "-1", title: "Respond" },
    h("div", {}, h("span", {}, "Respond", icon("chevron"))),
  );
  return {
    content: [
      parts.forwarded(entry),
      parts.author(entry, tools),
      h("div", { "aria-label": label }, card, h("span"), h("div", { class: "card-buttons" }, respond)),
    ],
  };
}
