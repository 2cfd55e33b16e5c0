// Stickers, documents, audio files and voice notes: never with "[time, date] sender: ".

import { era } from "../../era.js";
import { h, icon } from "../../dom.js";
import * as parts from "../parts.js";
import { TEXT_CLASS } from "../text.js";
import { viewOnce } from "./picture.js";

const BY_EXTENSION = { pdf: "PDF", xlsx: "X", xls: "X", docx: "W", doc: "W", pptx: "P", ppt: "P" };

export function sticker(entry, tools) {
  const { frame, stop } = stickerOf(entry.row, tools);
  return { content: stickers(entry, tools, frame), bare: true, stop };
}

/** Two stickers of one sender in one row; how they are put there is not known. */
export function stickerPair(entry, tools) {
  const drawn = entry.children.map((row) => stickerOf(row, tools));
  const frames = drawn.map(({ frame }) => frame);
  const content = stickers({ ...entry, row: entry.children.at(-1) }, tools, frames);
  return { content, bare: true, stop: () => drawn.forEach(({ stop }) => stop?.()) };
}

function stickers(entry, tools, frames) {
  return h(
    "div",
    { class: "_am2r _am2s" },
    h("div", { class: "_am2u" }, parts.forwarded(entry), parts.author(entry, tools), h("div", {}, frames)),
    h("div", {}, h("div", {}, parts.meta(entry, tools)), h("div", {}, h("div"))),
  );
}

function stickerOf(row, tools) {
  const { label, animated } = row.body;
  const words = label ? `Sticker with: ${label}` : "Sticker with no label";
  const frame = h("div", { "data-testid": "sticker", class: "sticker" });
  const outline = h("div", { class: "_ajxb _ajxc _ajxd _ajxj" }, h("div"));
  const draw = ({ state, url }) => {
    if (state === "done" && animated)
      frame.replaceChildren(h("canvas", { "aria-label": words, width: "190", height: "190", class: "_ajxd" }));
    else if (state === "done")
      frame.replaceChildren(h("img", { src: url, alt: words, "aria-label": words, draggable: "true", class: "_ajxd" }));
    else if (state === "fetching")
      frame.replaceChildren(parts.fetching(), h("span", { class: "_ajxd _ajxk" }, outline));
    else frame.replaceChildren(h("span", { class: "_ajxd _ajxk", "aria-label": words }, h("div")));
  };
  return { frame, stop: tools.media.show(row, draw, frame) };
}

export function document(entry, tools) {
  const { row } = entry;
  const name = row.filename ?? "document";
  const extension = name.includes(".") ? name.split(".").at(-1).toLowerCase() : "";
  const letter = BY_EXTENSION[extension] ?? "TXT";
  const pages = row.body.pages ? `${row.body.pages} ${row.body.pages === 1 ? "page" : "pages"}` : null;
  const type = extension.toUpperCase();
  const size = tools.format.size(row.size ?? 0);
  const dot = () => h("span", {}, "•");
  const line = [
    h("div", {}, h("div", {}, h("div", {}, icon(`document-${letter}-icon`), h("div", {}, letter)))),
    h(
      "div",
      { class: "document-text" },
      h("div", {}, h("span", { dir: "auto", class: "_ao3e" }, name)),
      h(
        "div",
        {},
        pages ? [h("span", { title: pages }, pages), dot()] : null,
        h("span", { "data-meta-key": "type", "data-testid": "type", title: type }, type),
        dot(),
        h("span", { title: size }, size),
        dot(),
      ),
    ),
    h("div", {}, h("div", {}, icon("audio-download"))),
  ];
  const thumb = h(
    "div",
    { "data-testid": "document-thumb", role: "button", tabindex: "0", title: `Download "${name}"`, class: "document" },
    h("div", {}, h("div", { class: "document-line" }, line)),
  );
  const content = h(
    "div",
    {},
    parts.forwarded(entry),
    parts.author(entry, tools),
    thumb,
    parts.caption(entry, tools, "document-caption"),
    h("div", {}, parts.meta(entry, tools)),
  );
  return { content, forwardable: true };
}

export function audio(entry, tools) {
  const symbol = h("div", { class: "_ak4n _ak4m" }, h("div", {}, icon("audio-file")));
  return {
    content: [parts.forwarded(entry), parts.author(entry, tools), player(entry, tools, symbol)],
    forwardable: true,
  };
}

export function voice(entry, tools) {
  const { view_once: isViewOnce, transcript } = entry.row.body;
  if (isViewOnce) return viewOnce(entry, tools);
  const status = h("div", { class: "_ak4g" }, h("div", {}, h("div", { class: `_akb0 ${entry.own ? "_akb3 _akb2" : "_akb5 _akb1"}` }, icon("ptt-status"))));
  const speed = h(
    "button",
    { tabindex: "-1", "aria-disabled": "false", type: "button", "aria-hidden": "true" },
    h("div", {}, "1×"),
  );
  const symbol = [h("div", { class: "_ak4k" }, speed), h("div", { class: "_ak4n _ak4m" }, parts.avatar(55), status)];
  const heard = transcript
    ? h("div", { class: "_akbu" }, h("span", { "data-testid": "selectable-text", dir: "auto", class: TEXT_CLASS }, transcript))
    : null;
  return { content: [parts.forwarded(entry), parts.author(entry, tools), player(entry, tools, symbol), heard] };
}

// Nothing plays by itself: there is no <audio> before a click, and the click tells the sender.
function player(entry, tools, symbol) {
  const { row, own } = entry;
  const length = tools.format.duration(row.duration);
  const button = h("button", { "aria-label": "Play voice message" }, icon("audio-play"));
  let isPlaying = false;
  button.addEventListener("click", () => {
    isPlaying = !isPlaying;
    button.setAttribute("aria-label", isPlaying ? "Pause voice message" : "Play voice message");
    button.replaceChildren(icon(isPlaying ? "audio-pause" : "audio-play"));
    if (isPlaying) tools.receipts.played(row.id);
  });
  const { isOldNesting } = era();
  const slider = {
    role: "slider",
    "aria-label": isOldNesting ? null : "Voice note progress slider",
    "aria-valuenow": "0",
    "aria-valuetext": isOldNesting ? `0:00 / ${length}` : `0:00/${length}`,
    "aria-valuemin": "0",
    "aria-valuemax": "100",
    tabindex: "0",
  };
  return h(
    "div",
    { class: own ? "_ak4a" : "_ak49" },
    h(
      "div",
      { class: "_ak4o" },
      h(
        "div",
        { class: "_ak4q" },
        h(
          "div",
          { class: "player" },
          h("div", {}, button),
          h(
            "div",
            { class: "track" },
            h("span", { "aria-label": "Voice message" }),
            h("div", slider, h("div", {}, h("div"), h("span"), h("div", {}, h("div", {}, h("div"))))),
          ),
        ),
      ),
      h("div", { class: "player-side" }, symbol),
    ),
    h("div", { class: "_ak4s" }, parts.meta(entry, tools)),
  );
}
