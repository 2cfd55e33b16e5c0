// Drawings of the icons, own ones: the first pattern that an icon's name matches decides.

const DISC = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z";
const CHECK = "M9.5 16.2 5.3 12l-1.4 1.4 5.6 5.6 11-11L19.1 6.6z";
const CROSS = "M19 6.4 17.6 5 12 10.6 6.4 5 5 6.4 10.6 12 5 17.6 6.4 19 12 13.4 17.6 19 19 17.6 13.4 12z";
const SHAPES = [
  [
    /recalled/,
    "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zM4 12a8 8 0 0 1 12.9-6.3L5.7 16.9A8 8 0 0 1 4 12zm8 8a8 8 0 0 1-4.9-1.7L18.3 7.1A8 8 0 0 1 12 20z",
  ],
  [/calendar/, "M19 4h-1V2h-2v2H8V2H6v2H5v16h14zm-2 14H7V9h10z"],
  [/unknown/, "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm-1 5h2v6h-2zm0 7.5h2v2h-2z"],
  [/^pin$|^keep$/, "M16 3v2l-1 1v5l3 3v2h-5v5l-1 1-1-1v-5H6v-2l3-3V6L8 5V3z"],
  [/download/, "M5 20h14v-2H5zM19 9h-4V3H9v6H5l7 7z"],
  [/play/, "M8 5v14l11-7z"],
  [/pause/, "M6 19h4V5H6zm8-14v14h4V5z"],
  [/media-cancel|close|^x$|clear/, CROSS],
  [/disabled|error/, "M12 2 1 21h22zm1 15h-2v2h2zm0-7h-2v5h2z"],
  [/video-pip/, "M21 3H3a2 2 0 0 0-2 2v14c0 1.1.9 2 2 2h18a2 2 0 0 0 2-2V5a2 2 0 0 0-2-2zm0 16H3V5h18zm-2-8h-8v6h8z"],
  [/audio-file/, "M12 3v10.6A4 4 0 1 0 14 17V7h4V3z"],
  [/forward/, "M14 8V4l8 7-8 7v-4.1c-5 0-8.5 1.6-11 5.1 1-5 4-10 11-11z"],
  [/plus|new-chat/, "M19 13h-6v6h-2v-6H5v-2h6V5h2v6h6z"],
  [
    /smiley|sticker/,
    "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 18a8 8 0 1 1 0-16 8 8 0 0 1 0 16zM8.5 11a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zm7 0a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM12 17.5c2.3 0 4.3-1.5 5.1-3.5H6.9c.8 2 2.8 3.5 5.1 3.5z",
  ],
  [/chevron/, "M7.4 8.6 12 13.2l4.6-4.6L18 10l-6 6-6-6z"],
  [/view-once/, "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 18a8 8 0 1 1 0-16 8 8 0 0 1 0 16zM11 7l-2 1.2v1.6l1.5-.7V17H13V7z"],
  [/send/, "M2 21 23 12 2 3v7l15 2-15 2z"],
  [/giphy|gif/, "M3 8h6v2H5v4h2v-2h2v4H3zm8 0h2v8h-2zm4 0h6v2h-4v1.5h3v2h-3V16h-2z"],
  [/star/, "M12 2l3 6.6 7 .8-5.2 4.9 1.4 7-6.2-3.5-6.2 3.5 1.4-7L2 9.4l7-.8z"],
  [/^status$/, "M12 4a8 8 0 0 1 8 8h2A10 10 0 0 0 12 2zM4 12a8 8 0 0 1 6-7.7V2.2A10 10 0 1 0 22 14h-2.2A8 8 0 0 1 4 12zm8-4a4 4 0 1 0 0 8 4 4 0 0 0 0-8z"],
  [/newsletter/, "M4 9v6h4l8 5V4L8 9zm14-1.5v9a5 5 0 0 0 0-9z"],
  [/disappearing/, "M12 4V2a10 10 0 1 0 10 10h-2a8 8 0 1 1-8-8zm1 3h-2v6l4 3 1-1.5-3-2.2z"],
  [
    /default-contact|default-user|person|Profile/,
    "M12 12a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zm0 2c-4 0-8 2-8 5v2h16v-2c0-3-4-5-8-5z",
  ],
  [
    /group|community/,
    "M8 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zm8 0a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 13c-3 0-7 1.5-7 4v3h14v-3c0-2.5-4-4-7-4zm8 0c-.6 0-1.2.1-1.8.2 1.7 1 2.8 2.3 2.8 3.8v3h6v-3c0-2.5-4-4-7-4z",
  ],
  [
    /dblcheck|read|delivered/,
    "M17 7l-1.4-1.4-6.3 6.3 1.4 1.4zM21.3 5.6 10.7 16.2 6.5 12l-1.4 1.4 5.6 5.6 12-12zM1 13.4 6.6 19 8 17.6 2.4 12z",
  ],
  [/check/, CHECK],
  [
    /clock|time|ciphertext/,
    "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 18a8 8 0 1 1 0-16 8 8 0 0 1 0 16zm1-13h-2v6l5 3 1-1.6-4-2.4z",
  ],
  [/chat|message|[Ll]ogo|wa-square/, "M4 3h16a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2H8l-5 4V5a2 2 0 0 1 1-2z"],
  [/search/, "M10 3a7 7 0 1 0 4.2 12.6l5.1 5.1 1.4-1.4-5.1-5.1A7 7 0 0 0 10 3zm0 2a5 5 0 1 1 0 10 5 5 0 0 1 0-10z"],
  [
    /more|menu|filter/,
    "M12 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zm0 6a2 2 0 1 0 0-4 2 2 0 0 0 0 4zm0 6a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  ],
  [/pin/, "M14 3v2l-1 6 3 3v2h-3.2L12 22l-.8-6H8v-2l3-3-1-6V3z"],
  [
    /notifications-off|muted/,
    "M3.3 2 2 3.3 6.7 8C6.2 9 6 10 6 11v5l-2 2v1h13.7l3 3 1.3-1.3zM12 22a2 2 0 0 0 2-2h-4c0 1.1.9 2 2 2zm6-8.3V11c0-3-1.6-5.6-4.5-6.3V4a1.5 1.5 0 0 0-3 0v.7z",
  ],
  [
    /lock/,
    "M18 8h-1V6A5 5 0 0 0 7 6v2H6a2 2 0 0 0-2 2v10c0 1.1.9 2 2 2h12a2 2 0 0 0 2-2V10a2 2 0 0 0-2-2zM9 6a3 3 0 0 1 6 0v2H9z",
  ],
  [
    /image|media|picture/,
    "M21 19V5a2 2 0 0 0-2-2H5a2 2 0 0 0-2 2v14c0 1.1.9 2 2 2h14a2 2 0 0 0 2-2zM8.5 13.5l2.5 3 3.5-4.5 4.5 6H5z",
  ],
  [/video/, "M17 10.5V7a1 1 0 0 0-1-1H4a1 1 0 0 0-1 1v10a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1v-3.5l4 4v-11z"],
  [/document|description/, "M14 2H6a2 2 0 0 0-2 2v16c0 1.1.9 2 2 2h12a2 2 0 0 0 2-2V8zm-1 7V3.5L18.5 9z"],
  [
    /voice|mic|ptt|audio/,
    "M12 14a3 3 0 0 0 3-3V5a3 3 0 0 0-6 0v6a3 3 0 0 0 3 3zm5-3a5 5 0 0 1-10 0H5a7 7 0 0 0 6 6.9V21h2v-3.1A7 7 0 0 0 19 11z",
  ],
  [
    /location|map/,
    "M12 2a7 7 0 0 0-7 7c0 5.2 7 13 7 13s7-7.8 7-13a7 7 0 0 0-7-7zm0 9.5a2.5 2.5 0 1 1 0-5 2.5 2.5 0 0 1 0 5z",
  ],
  [
    /phone|call/,
    "M6.6 10.8a15 15 0 0 0 6.6 6.6l2.2-2.2a1 1 0 0 1 1-.2 11 11 0 0 0 3.6.6 1 1 0 0 1 1 1V20a1 1 0 0 1-1 1A17 17 0 0 1 3 4a1 1 0 0 1 1-1h3.5a1 1 0 0 1 1 1c0 1.2.2 2.4.6 3.6a1 1 0 0 1-.2 1z",
  ],
  [/poll/, "M4 4h4v16H4zm6 6h4v10h-4zm6-4h4v14h-4z"],
  [
    /archive/,
    "M20.5 5.2 19.2 3.5A1.4 1.4 0 0 0 18 3H6c-.5 0-.9.2-1.2.6L3.5 5.2A2 2 0 0 0 3 6.5V19c0 1.1.9 2 2 2h14a2 2 0 0 0 2-2V6.5a2 2 0 0 0-.5-1.3zM12 17.5 6.5 12H10v-2h4v2h3.5z",
  ],
  [/back|arrow/, "M20 11H7.8l5.6-5.6L12 4l-8 8 8 8 1.4-1.4L7.8 13H20z"],
  [/refresh/, "M17.6 6.4A8 8 0 1 0 19.7 14h-2.1A6 6 0 1 1 12 6c1.7 0 3.1.7 4.2 1.8L13 11h7V4z"],
  [
    /settings/,
    "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zm9 5v-2l-2.5-.5-.7-1.7 1.4-2.1-1.4-1.4-2.1 1.4-1.7-.7L13 3h-2l-.5 2.5-1.7.7-2.1-1.4-1.4 1.4 1.4 2.1-.7 1.7L3 11v2l2.5.5.7 1.7-1.4 2.1 1.4 1.4 2.1-1.4 1.7.7L11 21h2l.5-2.5 1.7-.7 2.1 1.4 1.4-1.4-1.4-2.1.7-1.7z",
  ],
];

/** Return the path of an icon by its name; a disc where nothing is drawn for it. */
export function shapeOf(title) {
  const name = title.replace("-refreshed", "");
  return SHAPES.find(([pattern]) => pattern.test(name))?.[1] ?? DISC;
}
