// Says how many elements each of the CSS selectors in args.css matches, as a JSON list in the same order.
(args) => JSON.stringify(args.css.map((css) => document.querySelectorAll(css).length))
