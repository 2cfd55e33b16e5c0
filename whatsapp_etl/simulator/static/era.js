// What differs between the page's releases: a table of traits, asked for by name wherever something is drawn.
//
// A page belongs to one release from its start to its end, as the real one does: the bundle that was loaded decides.
// `useEra` is called once, before anything is drawn. Which facts belong to which release stands in docs/simulator.md.

const KEPT_IN_APRIL = /^(selectable-text|select-all selectable-text|author|type|poll-option-row-label-\d+)$/;

// Icons were renamed when the page was redrawn; these are the names of 2023 to 2025 for those of today.
const ICONS_OF_2024 = {
  "archive-refreshed": "archived",
  "chat-filled-refreshed": "chat",
  "community-refreshed-32": "community-outline",
  "default-contact-refreshed": "default-user",
  "default-group-refreshed": "default-group",
  "forward-refreshed": "forwarded",
  "ic-more-vert": "menu",
  "ic-notifications-off": "muted",
  "ic-push-pin": "pinned2",
  "mic-outlined": "ptt",
  "plus-rounded": "plus",
  "settings-refreshed": "settings",
  "wds-ic-send-filled": "send",
};
// Of the icons of late 2026 these were still known by their attribute; of the others only the drawing's title is left.
const NAMED_IN_LATE_2026 =
  /^(audio-|checkmark|clear-refreshed|document-|download|lock-outline|lock-refreshed|media-|mic$|new-chat-outline|person-add|plus|send|tail-|wds-ic-send-filled|x)/;

const AUGUST = {
  keepsTestId: () => true,
  hasPackedIds: false,
  hasSideClasses: false,
  isOldNesting: false, // bubbles in `_am…` classes, one wrapper more
  textClass: "selectable-text copyable-text _ao3e _aupe",
  hasEditableSearch: false, // a contenteditable instead of an input
  hasListItems: false, // chats are list items in the grid, and nobody counts them
  listRowHeight: 72,
  hasTitledButtons: false, // over the list
  hasMediaButton: true, // in the rail
  hasListCells: false, // the chat in a list row is a grid cell of its own
  background: "light", // what stands behind a conversation
  hasAuthorTestId: true, // on the name that a sender gave himself
  showsPushNamesAlone: false, // or "~name" behind the number
  hasSerializedKeys: false, // on the models behind the rows
  iconName: (name) => name,
  statusIcons: ["msg-time", "msg-check", "msg-dblcheck", "msg-dblcheck"],
  hasNamedIcon: () => true, // the icon's name stands in attributes, not only in its drawing
  namesPlainIcons: false, // so do the names of the newer icons
  qrLabel: "Scan this QR code to link a device!",
  loginTitle: "Scan to log in",
  composerNamesChat: true,
  hasTitledHeader: false, // the chat's name is the title of its own element
  reactionsInvite: true, // "… View reactions"
};
const APRIL = {
  ...AUGUST,
  keepsTestId: (value) => KEPT_IN_APRIL.test(value),
  hasPackedIds: true,
  hasSideClasses: true,
  isOldNesting: true,
  listRowHeight: 76,
  hasListCells: true,
  background: "beige",
  textClass: "_ao3e _aupe copyable-text",
  hasAuthorTestId: false,
  hasSerializedKeys: true,
};

const ERAS = {
  y2024: {
    ...APRIL,
    keepsTestId: () => false,
    textClass: "_ao3e selectable-text copyable-text",
    hasEditableSearch: true,
    hasListItems: true,
    listRowHeight: 72,
    hasTitledButtons: true,
    hasMediaButton: false,
    hasListCells: false,
    background: "light",
    iconName: (name) => ICONS_OF_2024[name] ?? name,
    namesPlainIcons: true,
    qrLabel: "Scan me!",
    loginTitle: "Use WhatsApp on your computer",
    composerNamesChat: false,
    showsPushNamesAlone: true,
    hasTitledHeader: true,
    reactionsInvite: false,
  },
  apr26: APRIL,
  may26: { ...APRIL, keepsTestId: () => true, hasPackedIds: false, hasAuthorTestId: true },
  aug26: AUGUST,
  nov26: {
    ...AUGUST,
    statusIcons: ["msg-time", "wds-ic-sent", "wds-ic-delivered", "wds-ic-read"],
    hasNamedIcon: (name) => NAMED_IN_LATE_2026.test(name),
  },
};

let current = AUGUST;

/** The classes of a message's text. */
export let TEXT_CLASS = AUGUST.textClass;

/** Decide the release of this page. */
export function useEra(name) {
  current = ERAS[name];
  TEXT_CLASS = current.textClass;
}

/** The traits of this page's release. */
export function era() {
  return current;
}
