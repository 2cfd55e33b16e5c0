// Words of the interface in other languages than English, as far as they are known. Shown by the variant
// `translated_words` only: the client of April 2026 has English words in every language.

const CHAT_LIST = "Chat list";
const CLOSE = "Close";
const YOU = "You:";
const ASK_PHONE = "Click here to get older messages from your phone.";

const TRANSLATIONS = {
  pt: {
    [CHAT_LIST]: "Lista de conversas",
    [CLOSE]: "Fechar",
    [YOU]: "Você:",
    [ASK_PHONE]: "Clique neste aviso para carregar mensagens mais antigas do seu celular",
  },
  id: { [CHAT_LIST]: "Daftar chat", [CLOSE]: "Tutup", [YOU]: "Anda:" },
  tr: { [CLOSE]: "Kapat", [YOU]: "Siz:" },
};

/** @returns {string} the word in the language of `locale`, or itself where that is not known */
export function translate(english, locale) {
  return TRANSLATIONS[locale.split("-")[0]]?.[english] ?? english;
}
