// What is described in two forms and decided by no release: which form this page has.

/**
 * @param {() => object} config the configuration in force
 * @param {string} name one of `PAGE_VARIANTS`
 */
export function hasVariant(config, name) {
  return config().page_variants.includes(name);
}
