// Places, contact cards, polls, group invites and calls.

import { h, icon, plainIcon } from "../../dom.js";
import { era } from "../../era.js";
import { shownId } from "../keys.js";
import * as parts from "../parts.js";
import { TEXT_CLASS, shortText } from "../text.js";

const MAP = "data:image/gif;base64,R0lGODlhAQABAIAAAObu5v///yH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==";

export function location(entry, tools) {
  const { body } = entry.row;
  return body.live ? liveLocation(entry, tools) : place(entry, tools);
}

function place(entry, tools) {
  const { lat, lng, name, address } = entry.row.body;
  const href = name
    ? `https://maps.google.com/maps/search/${encodeURIComponent(name)}/@${lat},${lng},17z?hl=en`
    : `https://maps.google.com/maps?q=${encodeURIComponent(`${lat},${lng}`)}&z=17&hl=en`;
  const link = { href, target: "_blank", rel: "noopener noreferrer", dir: "ltr" };
  const map = h(
    "div",
    { class: `map ${TEXT_CLASS}`, "data-testid": "selectable-text", "data-plain-text": href, style: "height: 150px" },
    h(
      "a",
      { ...link, "aria-label": "Open map location" },
      icon("map-placeholder", { title: "ic_tempmap" }),
      mapImage(),
    ),
    name ? null : h("div"),
  );
  const lines = name
    ? h(
        "div",
        {},
        h(
          "div",
          { class: "_akbu" },
          h("a", link, name),
          address ? h("div", { title: address, class: TEXT_CLASS, "data-testid": "selectable-text" }, address) : null,
          parts.spacer(entry, tools),
        ),
      )
    : null;
  const copied = parts.copyable(entry, tools, map, lines, h("div", {}, parts.meta(entry, tools)));
  return { content: h("div", {}, parts.forwarded(entry), parts.author(entry, tools), copied), forwardable: true };
}

function liveLocation(entry, tools) {
  const { body } = entry.row;
  const map = h(
    "div",
    { class: "map", style: "height: 150px" },
    h("div", {}, h("span", {}, icon("map-placeholder", { title: "ic_tempmap" }), mapImage())),
    h("div", {}, parts.avatar(40)),
    h("div"),
  );
  const copied = parts.copyable(
    entry,
    tools,
    map,
    h("div", {}, h("span", {}, "Live location not available")),
    body.caption ? h("div", {}, parts.textOf(entry, tools, body.caption)) : null,
    h("div", {}, parts.meta(entry, tools)),
  );
  return { content: [parts.author(entry, tools), copied] };
}

function mapImage() {
  return h("img", { alt: "", class: "_ao3e", tabindex: "-1", src: MAP, style: "height: 150px" });
}

export function contactCard(entry, tools) {
  const { name } = entry.row.body;
  const card = h(
    "div",
    { class: "_ahy- card", role: "button" },
    h("div", { class: "_ahz2" }, parts.avatar(49, "_aj_s")),
    h(
      "div",
      { class: "_ahz1" },
      h("div", { "data-testid": "selectable-text", dir: "auto", class: `_ahz4 ${TEXT_CLASS}` }, name),
    ),
    h("div", { class: "_ahz3" }, parts.meta(entry, tools)),
  );
  const copied = parts.copyable(
    entry,
    tools,
    card,
    h("div", { class: "card-buttons" }, cardButton("Message", `Message ${name}`), cardButton("Add to a group")),
  );
  copied.classList.add("_ahyv");
  return { content: [parts.forwarded(entry), parts.author(entry, tools), copied], forwardable: true };
}

export function contactCards(entry, tools) {
  const { names } = entry.row.body;
  const others = names.length - 1;
  const title = `${names[0]} and ${others} other ${others === 1 ? "contact" : "contacts"}`;
  const pictured = () => parts.avatar(39, "_aj_t _aj_s");
  const card = h(
    "div",
    { role: "button", title, class: "card" },
    h("div", {}, h("div", {}, pictured()), h("div", {}, pictured())),
    h("div", {}, h("div", { dir: "auto", class: "_ao3e" }, title)),
    h("div", {}, parts.meta(entry, tools)),
  );
  const content = h(
    "div",
    {},
    parts.author(entry, tools),
    card,
    h("div", { class: "card-buttons" }, cardButton("View all")),
  );
  return { content };
}

function cardButton(words, title = words) {
  return h("button", { role: "button", tabindex: "0", title }, h("div", {}, words));
}

export function poll(entry, tools) {
  const { row, sender, own } = entry;
  const { question, options, multi, ended } = row.body;
  const counts = options.map(({ name, votes }) => `${name}: ${votes}`).join(", ");
  const who = own ? "you" : sender.name;
  const label = `Poll from ${who} ${tools.format.time(row.t)} ${question}   Top vote counts: ${counts}. `;
  const copied = parts.copyable(
    entry,
    tools,
    h("div", { class: "_akbu" }, h("div", {}, selectable(question, "ltr"))),
    h(
      "div",
      { class: "poll-hint" },
      icon("ic-check-circle-filled"),
      h("span", {}, ended ? "Poll ended" : multi ? "Select one or more" : "Select one"),
    ),
    h(
      "div",
      {},
      options.map((option, position) => pollOption(row, option, position)),
      h("div", {}, parts.meta(entry, tools)),
    ),
    h(
      "div",
      {},
      h(
        "button",
        {
          role: "button",
          tabindex: "-1",
          title: "View votes",
          "aria-disabled": era().isOldNesting && options.every(({ votes }) => !votes) ? "true" : null,
          "data-testid": "poll-view-votes",
        },
        h("div", {}, "View votes"),
      ),
    ),
  );
  return {
    content: [
      parts.forwarded(entry),
      parts.author(entry, tools),
      h("div", { "aria-label": label, class: "poll" }, copied),
    ],
  };
}

function pollOption(row, { name, votes }, position) {
  const { isOldNesting } = era();
  const id = `${isOldNesting ? shownId(row.id) : row.id.split("_")[2]}-option-${position}`;
  const box = h(
    "div",
    { role: "none" },
    h("div", { "aria-hidden": "true", tabindex: "-1" }, plainIcon("ic-check")),
    h("input", {
      dir: "ltr",
      "aria-label": `${name} ${votes} votes`,
      id,
      "aria-checked": "false",
      type: "checkbox",
      role: isOldNesting ? null : "checkbox",
    }),
  );
  const words = isOldNesting
    ? h("span", { "data-testid": "selectable-text", dir: "auto", class: TEXT_CLASS }, shortText(name))
    : selectable(name, "auto");
  const text = h(
    "div",
    { class: "poll-words" },
    h("div", {}, h("label", { for: id, "data-testid": `poll-option-row-label-${position}` }, words)),
    h(
      "button",
      { tabindex: "-1", "aria-disabled": "false", type: "button" },
      h("div", {}, h("div", {}, h("span", {}, String(votes)))),
    ),
  );
  if (!isOldNesting) return h("div", {}, h("div", { class: "poll-line" }, h("div", {}, box), text));
  const left = h("div", {}, h("div", {}, box));
  const right = h("div", {}, h("div", {}, text, h("div", {}, h("div"))));
  return h("div", {}, h("div", {}, h("div", { class: "poll-line" }, left, right)));
}

function selectable(raw, dir) {
  return h("span", { "data-testid": "selectable-text", dir, class: TEXT_CLASS }, h("span", {}, shortText(raw)));
}

export function groupInvite(entry, tools) {
  const { group_name: name, caption } = entry.row.body;
  const card = h(
    "div",
    { class: "_ajxp" },
    h(
      "div",
      { class: "_ahwq card" },
      h("div", {}, parts.avatar(49, "_aj_s")),
      h(
        "div",
        {},
        h("div", { title: name }, h("span", { dir: "ltr", class: "_ao3e" }, name)),
        h("div", {}, "WhatsApp group invite"),
      ),
    ),
  );
  const copied = parts.copyable(
    entry,
    tools,
    card,
    caption ? h("div", { class: "_ajxo" }, parts.textOf(entry, tools, caption)) : null,
    h("div", { class: "_ajxs" }, parts.meta(entry, tools)),
  );
  copied.classList.add("_ajxm");
  return {
    content: h(
      "div",
      {},
      parts.author(entry, tools),
      copied,
      h("div", { class: "card-buttons" }, cardButton("Join group")),
    ),
  };
}

export function call(entry, tools) {
  const { video, outcome, seconds } = entry.row.body;
  const kind = video ? "video call" : "voice call";
  const isMissed = outcome === "missed";
  const title = isMissed ? `Missed ${kind}` : kind.replace("v", "V");
  const detail = isMissed ? "Click to call back" : outcome === "no_answer" ? "No answer" : spoken(seconds);
  const symbol = isMissed
    ? "ic-phone-callback-filled"
    : video
      ? "wds-ic-call-video-made-filled"
      : "wds-ic-call-made-filled";
  const card = h(
    "div",
    { class: "card" },
    h("div", {}, plainIcon(symbol)),
    h("div", {}, h("div", {}, title), h("div", {}, h("span", {}, detail))),
  );
  return {
    content: h("div", {}, parts.author(entry, tools), card, h("div", {}, parts.meta(entry, tools, { status: false }))),
  };
}

function spoken(seconds) {
  return seconds < 60 ? `${seconds} sec` : `${Math.round(seconds / 60)} min`;
}
