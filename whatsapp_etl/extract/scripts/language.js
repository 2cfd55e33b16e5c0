// Returns the language in which the page says it is, such as "en", or null where it says none.
() => document.documentElement.lang || null
