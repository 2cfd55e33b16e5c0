// Times, dates, numbers and text directions as the page writes them, by the language of its user interface.
// The zone is the browser's, as on the real page.

import { momentStyle } from "./moment_formats.js";
import { formatPhone } from "./phone.js";
import { translate } from "./words.js";

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
const ENGLISH = "en-US";
const ARABIC_ZERO = "٠".codePointAt(0);
const STRONG_RTL = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const STRONG_LTR = /[A-Za-z\u00aa\u00b5\u00ba\u00c0-\u02b8\u0370-\u058f\u0900-\u1fff\u2c00-\ud7ff\uff21-\uffdc]/;

/**
 * @param {() => object} config the configuration in force: `locale`, `hour12`, `language_variants`
 * @param {{now(): Date}} clock
 */
export function createFormat(config, clock) {
  const cache = new Map();
  const has = (variant) => (config().language_variants ?? []).includes(variant);
  const intl = (locale, name, options) => {
    const key = `${locale}|${config().hour12}|${name}`;
    if (!cache.has(key)) cache.set(key, new Intl.DateTimeFormat(locale, { timeZone: zone(), ...options }));
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
    const formatter = intl("en-US-u-hc-h23", "parts", exact);
    for (const { type, value } of formatter.formatToParts(new Date(seconds * 1000))) parts[type] = Number(value);
    return parts;
  };
  const moment = () => momentStyle(config().locale, has);
  const digits = (text) => (has("arabic_digits") && language() === "ar" ? inArabicDigits(text) : text);
  const language = () => config().locale.split("-")[0];

  /** The time of day, "2:05 PM" or "14:05". */
  const time = (seconds) => {
    if (moment()) return digits(moment().time(partsOf(seconds), is24Hour()));
    const options = { hour12: !is24Hour(), hour: "numeric", minute: "numeric" };
    return olderIntl(intl(config().locale, "time", options).format(new Date(seconds * 1000)));
  };

  // What other releases of the browser write for the same options.
  const olderIntl = (text) => {
    if (has("midnight_24") && is24Hour() && language() === "en") return text.replace(/^00:/, "24:");
    if (!has("narrow_space")) return text;
    return text.replace(/ ([AP]\.?) ?(M\.?)$/i, (_, half, m) => `\u202f${half}${half.endsWith(".") ? "\u00a0" : ""}${m}`);
  };

  /** The short date, "2/3/2026". */
  const date = (seconds) => {
    const isEnglish = has("english_dates");
    if (moment() && !isEnglish) return digits(moment().date(partsOf(seconds)));
    const options = { year: "numeric", month: "numeric", day: "numeric" };
    const locale = isEnglish ? ENGLISH : config().locale;
    return intl(locale, "date", options).format(new Date(seconds * 1000));
  };

  /** The start of a copied message, "[2:05 PM, 2/3/2026] Ana: ". */
  const prePlainText = (seconds, sender) => {
    const comma = (!has("english_dates") && moment()?.comma) || ",";
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

  // The client of April 2026 writes its words in English in every language.
  const wordsLocale = () => (has("translated_words") ? config().locale : ENGLISH);

  const relativeDay = (days) => {
    const words = new Intl.RelativeTimeFormat(wordsLocale(), { numeric: "auto" }).format(-days, "day");
    return words.charAt(0).toLocaleUpperCase(wordsLocale()) + words.slice(1);
  };

  /** The text of a date marker: "Today", "Yesterday", a weekday in its language's own case, else the date. */
  const dateMarker = (seconds) => {
    const days = daysAgo(seconds);
    if (days === 0 || days === 1) return relativeDay(days);
    if (days > 1 && days < 7) return intl(wordsLocale(), "weekday", { weekday: "long" }).format(new Date(seconds * 1000));
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
    /** A word of the interface: English unless the page is translated and its translation is known. */
    word: (english) => (has("translated_words") ? translate(english, config().locale) : english),
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

function inArabicDigits(text) {
  return text.replace(/[0-9]/g, (digit) => String.fromCodePoint(ARABIC_ZERO + Number(digit)));
}

/** The page's `<html lang>` and `dir`. */
export function languageOf({ locale, language_variants: variants }) {
  return {
    lang: variants.includes("full_lang_tag") ? locale : locale.split("-")[0],
    dir: /^(ar|he|fa|ur)\b/.test(locale) ? "rtl" : "ltr",
  };
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
