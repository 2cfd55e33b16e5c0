// Times, dates, numbers and text directions as the page writes them, by the language of its user interface.
// The zone is the browser's, as on the real page.

import { momentStyle } from "./moment_formats.js";
import { formatPhone } from "./phone.js";

const CLOCK_24H = new Set(
  "af az ca cs da de el et fi fr he hr hu id it kk lt mk nb pl pt pt-BR ro ru sk sl sr sv th tr uk".split(" "),
);
// The real client maps these zones to neighbours without daylight saving time.
const ZONE_STAND_INS = {
  "America/Sao_Paulo": "America/Belem",
  "America/Campo_Grande": "America/Porto_Velho",
  "America/Cuiaba": "America/Porto_Velho",
};
const DAY_MS = 86_400_000;
const STRONG_RTL = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const STRONG_LTR = /[A-Za-z\u00aa\u00b5\u00ba\u00c0-\u02b8\u0370-\u058f\u0900-\u1fff\u2c00-\ud7ff\uff21-\uffdc]/;

/**
 * @param {() => object} config the configuration in force: `locale`, `hour12`
 * @param {{now(): Date}} clock
 */
export function createFormat(config, clock) {
  const cache = new Map();
  const intl = (name, options) => {
    const key = `${config().locale}|${config().hour12}|${name}`;
    if (!cache.has(key)) cache.set(key, new Intl.DateTimeFormat(config().locale, { timeZone: zone(), ...options }));
    return cache.get(key);
  };
  const is24Hour = () => {
    const { hour12, locale } = config();
    if (hour12 !== null && hour12 !== undefined) return !hour12;
    return CLOCK_24H.has(locale) || CLOCK_24H.has(locale.split("-")[0]);
  };
  const partsOf = (seconds) => {
    const parts = {};
    const exact = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" };
    const formatter = new Intl.DateTimeFormat("en-US-u-hc-h23", { timeZone: zone(), ...exact });
    for (const { type, value } of formatter.formatToParts(new Date(seconds * 1000))) parts[type] = Number(value);
    return parts;
  };

  /** The time of day, "2:05 PM" or "14:05". */
  const time = (seconds) => {
    const moment = momentStyle(config().locale);
    if (moment) return moment.time(partsOf(seconds), is24Hour());
    const options = { hour12: !is24Hour(), hour: "numeric", minute: "numeric" };
    return intl("time", options).format(new Date(seconds * 1000));
  };

  /** The short date, "2/3/2026". */
  const date = (seconds) => {
    const moment = momentStyle(config().locale);
    if (moment) return moment.date(partsOf(seconds));
    return intl("date", { year: "numeric", month: "numeric", day: "numeric" }).format(new Date(seconds * 1000));
  };

  /** The start of a copied message, "[2:05 PM, 2/3/2026] Ana: ". */
  const prePlainText = (seconds, sender) => {
    const comma = momentStyle(config().locale)?.comma ?? ",";
    return `[${time(seconds)}${comma} ${date(seconds)}] ${sender}: `;
  };

  /** The calendar day in the browser's zone as "2026-02-03". */
  const dayKey = (seconds) => {
    const { year, month, day } = partsOf(seconds);
    return [year, String(month).padStart(2, "0"), String(day).padStart(2, "0")].join("-");
  };

  const daysAgo = (seconds) => {
    const today = Date.parse(dayKey(clock.now().getTime() / 1000));
    return Math.round((today - Date.parse(dayKey(seconds))) / DAY_MS);
  };

  const relativeDay = (days) => {
    const words = new Intl.RelativeTimeFormat(config().locale, { numeric: "auto" }).format(-days, "day");
    return words.charAt(0).toLocaleUpperCase(config().locale) + words.slice(1);
  };

  /** The text of a date marker: "Today", "Yesterday", a weekday, else the date. */
  const dateMarker = (seconds) => {
    const days = daysAgo(seconds);
    if (days === 0 || days === 1) return relativeDay(days);
    if (days > 1 && days < 7) {
      const weekday = intl("weekday", { weekday: "long" }).format(new Date(seconds * 1000));
      return weekday.charAt(0).toLocaleUpperCase(config().locale) + weekday.slice(1);
    }
    return date(seconds);
  };

  /** The time label of a chat in the list: the clock for today, else as a date marker. */
  const listTime = (seconds) => (daysAgo(seconds) === 0 ? time(seconds) : dateMarker(seconds));

  return {
    time,
    date,
    prePlainText,
    dayKey,
    dateMarker,
    listTime,
    /** "0:37", "1:02:03" */
    duration: formatDuration,
    /** "120 kB" */
    size: formatSize,
    /** "1,234" */
    count: (number) => new Intl.NumberFormat("en-US").format(number),
    phone: formatPhone,
    direction: directionOf,
    embed: embedDirection,
  };
}

function zone() {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return ZONE_STAND_INS[own] ?? own;
}

function formatDuration(seconds) {
  const whole = Math.max(0, Math.round(seconds ?? 0));
  const minutes = Math.floor(whole / 60);
  const rest = String(whole % 60).padStart(2, "0");
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

function formatSize(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} kB`;
  if (bytes < 1_000_000_000) return `${Math.round(bytes / 1_000_000)} MB`;
  return `${(bytes / 1_000_000_000).toFixed(1)} GB`;
}

/** @returns {"rtl"|"ltr"} the direction of the first strong character */
export function directionOf(text) {
  for (const character of text ?? "") {
    if (STRONG_RTL.test(character)) return "rtl";
    if (STRONG_LTR.test(character)) return "ltr";
  }
  return "ltr";
}

/** Wrap a text for a `title` attribute in the marks of its direction, as the real page does. */
export function embedDirection(text) {
  return `${directionOf(text) === "rtl" ? "\u202b" : "\u202a"}${text}\u202c`;
}
