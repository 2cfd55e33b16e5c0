// An album: at most four tiles, the last of which says how many more there are.

import { h } from "../../dom.js";
import { hasVariant } from "../../variants.js";
import * as parts from "../parts.js";
import { thumbOf } from "./picture.js";

const TILES = 4;

export function album(entry, tools) {
  const stops = [];
  // Where the tiles have ids, they are whole keys in every release.
  const isNamed = hasVariant(tools.config, "album_tile_ids");
  const tiles = entry.children.slice(0, TILES).map((row, position) => {
    const { thumb, stop } = thumbOf({ ...entry, row }, tools);
    stops.push(stop);
    const more = entry.children.length - TILES;
    const isLast = position === TILES - 1 && more > 0;
    return h(
      "div",
      { class: "_aml8 tile", "data-id": isNamed ? row.id : null },
      h(
        "div",
        {},
        h(
          "div",
          {},
          h(
            "div",
            {},
            h("div", {}, thumb, isLast ? h("div", { class: "more-tiles" }, `+${more}`) : null),
            h("div", {}, parts.meta({ ...entry, row }, tools)),
          ),
        ),
      ),
    );
  });
  return { content: [parts.author(entry, tools), tiles], stop: () => stops.forEach((stop) => stop?.()) };
}
