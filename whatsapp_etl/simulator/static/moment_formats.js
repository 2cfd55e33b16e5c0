// Eight languages of the user interface whose times come from another date library than Intl.
// Each gets the parts {year, month, day, hour (0-23), minute} in the browser's zone. Dutch and Irish English have no
// clock of 12 hours there.

const two = (number) => String(number).padStart(2, "0");
const clock24 = ({ hour, minute }) => `${two(hour)}:${two(minute)}`;
const clock12 = ({ hour, minute }) => `${hour % 12 || 12}:${two(minute)}`;
const dayMonthYear = ({ year, month, day }) => `${day}/${month}/${year}`;

/** Return the first word whose limit the hour stays under. */
const wordOf = (hour, limits) => limits.find(([before]) => hour < before)[1];
const hindi = (hour) =>
  wordOf(hour, [
    [4, "रात"],
    [10, "सुबह"],
    [17, "दोपहर"],
    [20, "शाम"],
    [24, "रात"],
  ]);
const tamil = (hour) =>
  wordOf(hour, [
    [2, "யாமம்"],
    [6, "வைகறை"],
    [10, "காலை"],
    [14, "நண்பகல்"],
    [18, "எற்பாடு"],
    [22, "மாலை"],
    [24, "யாமம்"],
  ]);

const chinese = {
  time: (at, is24) => (is24 ? clock24(at) : `${at.hour < 12 ? "上午" : "下午"}${clock12(at)}`),
  date: ({ year, month, day }) => `${year}年${month}月${day}日`,
};

const STYLES = {
  "zh-cn": chinese,
  "zh-tw": chinese,
  ar: {
    time: (at, is24) => (is24 ? clock24(at) : `${clock12(at)} ${at.hour < 12 ? "ص" : "م"}`),
    date: ({ year, month, day }) => `${year}/${month}/${day}`,
    comma: "،", // The library turns every comma it writes into the Arabic one.
  },
  ta: { time: (at, is24) => (is24 ? clock24(at) : `${clock12(at)} ${tamil(at.hour)}`), date: dayMonthYear },
  nl: {
    time: clock24,
    date: ({ year, month, day }) => `${two(day)}-${two(month)}-${year}`,
  },
  "en-ie": {
    time: clock24,
    date: ({ year, month, day }) => `${two(day)}/${two(month)}/${year}`,
  },
  hi: { time: (at, is24) => (is24 ? clock24(at) : `${hindi(at.hour)} ${clock12(at)} बजे`), date: dayMonthYear },
  ur: {
    time: (at, is24) => (is24 ? clock24(at) : `${clock12(at)} ${at.hour < 12 ? "صبح" : "شام"}`),
    date: dayMonthYear,
  },
};
// Contested: Urdu may have no table of its own, and the library's own form is American English.
const ENGLISH_URDU = {
  time: (at, is24) => (is24 ? clock24(at) : `${clock12(at)} ${at.hour < 12 ? "AM" : "PM"}`),
  date: ({ year, month, day }) => `${month}/${day}/${year}`,
};

/**
 * @param {string} locale
 * @param {(name: string) => boolean} has whether a variant is switched on
 * @returns {{time, date, comma?: string}|undefined} undefined where Intl is used
 */
export function momentStyle(locale, has) {
  const name = locale.toLowerCase();
  if (has("intl_only")) return undefined;
  if (name === "ur" && has("english_urdu")) return ENGLISH_URDU;
  return STYLES[name];
}
