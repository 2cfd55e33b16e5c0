// Images, videos and GIFs. An image's bytes come when it is near the screen; until then a blurred one stands for it.

import { h, icon, plainIcon } from "../../dom.js";
import * as parts from "../parts.js";
import { placeholder } from "../parts.js";

const WIDEST = 330;
const TALLEST = 338;

export function image(entry, tools) {
  const { row } = entry;
  if (row.body.view_once || row.isViewOnce) return viewOnce(entry, tools);
  const { thumb, stop } = thumbOf(entry, tools);
  return { ...framed(entry, tools, thumb, "image-caption"), stop };
}

/** The picture itself, and what ends the wait for its bytes. */
export function thumbOf(entry, tools) {
  const { row } = entry;
  const thumb = h("div", {
    "data-testid": "image-thumb",
    role: "button",
    tabindex: "0",
    "aria-label": "Open picture",
    style: sizeOf(row),
  });
  const stop = tools.media.show(row, (state) => drawImage(thumb, entry, tools, state), thumb);
  return { thumb, stop };
}

function drawImage(thumb, entry, tools, { state, url }) {
  const { body } = entry.row;
  const alt = body.caption || null;
  const blurred = () => h("img", { alt, draggable: "true", class: "blurred", src: body.thumb ?? null });
  if (state === "done") thumb.replaceChildren(h("img", { alt, draggable: "true", src: url }), shade(alt));
  else if (state === "fetching") thumb.replaceChildren(h("span", {}, parts.fetching()), blurred(), shade(alt));
  else if (state === "gone") thumb.replaceChildren(failure(entry), blurred());
  else thumb.replaceChildren(download(entry.row, tools), blurred());
}

// Where there is no caption the time lies over the picture, on a shade.
function shade(alt) {
  return alt ? [] : h("div", { class: "shade" });
}

function download(row, tools) {
  const start = (event) => {
    event.stopPropagation();
    tools.media.fetch(row);
  };
  return h(
    "div",
    { class: "media-state" },
    h(
      "button",
      { type: "button", "aria-label": "Download", "data-testid": "media-state-download", on: { click: start } },
      icon("media-download"),
      h("span", {}, tools.format.size(row.size ?? 0)),
    ),
  );
}

function failure({ own, sender }) {
  const words = own
    ? "Can't download. Photo is no longer on your phone."
    : `Can't download. Ask ${sender.name} to resend it.`;
  return h(
    "div",
    { class: "media-state", "data-testid": "media-error" },
    icon("media-disabled"),
    h("span", { "data-testid": "media-error-message" }, words),
  );
}

export function video(entry, tools) {
  const { row } = entry;
  if (row.body.view_once || row.isViewOnce) return viewOnce(entry, tools);
  if (row.body.gif) return gif(entry, tools);
  const thumb = h(
    "div",
    { "data-testid": "video-content", role: "button", tabindex: "0", style: sizeOf(row), class: "video" },
    h("div", {}, h("button", { "aria-label": "Picture-in-picture mode" }, icon("video-pip"))),
    h("div", {}, h("div", {}, icon("media-play"))),
    h("div", { class: "blurred", style: backgroundOf(row) }),
    h("span", {}, h("div", {}, icon("msg-video")), h("span", {}, tools.format.duration(row.duration))),
  );
  return framed(entry, tools, thumb, "video-caption");
}

function gif(entry, tools) {
  const thumb = h(
    "div",
    { role: "button", tabindex: "0", "aria-label": "Play GIF", class: "_ahn4", style: sizeOf(entry.row) },
    h("div", { class: "blurred", style: backgroundOf(entry.row) }),
    h("div", { class: "_ahmy" }, icon("giphy")),
  );
  if (entry.row.body.caption || entry.row.body.quoted)
    return framed(entry, tools, h("div", { class: "_ahmx" }, thumb), "image-caption");
  const time = h("div", { class: "_ahmz over-picture" }, parts.meta(entry, tools));
  const picture = h("div", { class: "_ahmx picture" }, thumb, time);
  return { content: [parts.forwarded(entry), parts.author(entry, tools), picture] };
}

export function videoNote(entry, tools) {
  const note = h(
    "div",
    { class: "video-note", role: "button", tabindex: "0", "aria-label": "Play video note" },
    icon("media-play"),
    h("span", {}, tools.format.duration(entry.row.duration)),
  );
  return {
    content: [parts.author(entry, tools), note, h("div", {}, parts.meta(entry, tools))],
    bare: true,
    tailless: true,
  };
}

const VIEW_ONCE_WORDS = { video: ["video", "Video"], ptt: ["voice message", "Voice message"] };

/** What somebody sent to be seen once: the phone alone shows it. */
export function viewOnceElsewhere(entry, tools) {
  const isOpened = Boolean(entry.row.body.opened);
  const text = isOpened
    ? "Opened"
    : "You received a view once message. For added privacy, you can only open it on your phone.";
  const symbol = plainIcon("wds-ic-view-once");
  const content = placeholder(entry, tools, { symbol, text, link: isOpened ? null : "Learn more" });
  return { content: [parts.author(entry, tools), content], inert: true };
}

export function viewOnce(entry, tools) {
  if (!entry.own) return viewOnceElsewhere(entry, tools);
  const [what, title] = VIEW_ONCE_WORDS[entry.row.type] ?? ["photo", "Photo"];
  const button = h(
    "button",
    { tabindex: "0", "aria-disabled": "false", type: "button", "aria-label": `View once ${what}`, class: "view-once" },
    h("div", {}, plainIcon("wds-ic-view-once")),
    h("div", {}, h("h3", {}, title)),
    h("div", {}, h("span", {}, parts.meta(entry, tools), parts.spacer(entry, tools))),
  );
  return { content: button };
}

// With a caption the whole is one copyable text; without one the time lies over the picture.
function framed(entry, tools, thumb, captionId) {
  const caption = parts.caption(entry, tools, captionId);
  const head = [parts.forwarded(entry), parts.author(entry, tools)];
  const meta = h("div", { class: caption ? null : "over-picture" }, parts.meta(entry, tools));
  const quoted = parts.quoted(entry, tools);
  const content = caption
    ? [head, parts.copyable(entry, tools, quoted, h("div", {}, thumb, caption, meta))]
    : h("div", {}, head, quoted, h("div", { class: "picture" }, thumb, meta));
  return { content };
}

function sizeOf({ width, height }) {
  if (!width || !height) return "width: 330px; height: 186px";
  const scale = Math.min(WIDEST / width, TALLEST / height);
  return `width: ${Math.max(120, Math.round(width * scale))}px; height: ${Math.max(100, Math.round(height * scale))}px`;
}

function backgroundOf({ body }) {
  return body.thumb ? `background-image: url("${body.thumb}")` : null;
}
