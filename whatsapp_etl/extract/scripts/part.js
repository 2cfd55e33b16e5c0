// The first visible element of a name in the selector pack, or null.
async (args) => {
  await until(() => all(document, args.part).some(isVisible), args.deadline_ms);
  return all(document, args.part).find(isVisible) || null;
}
