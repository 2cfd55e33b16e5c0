// Let wppconnect's own helper scrape the QR code: `node wppconnect_client.cjs TASK RESULT`, both JSON files.
// Its packages are found through NODE_PATH.

const fs = require("node:fs");
const path = require("node:path");
const puppeteer = require("puppeteer");

const helper = path.join(process.env.NODE_PATH, "@wppconnect-team/wppconnect/dist/api/helpers/scrape-img-qr.js");
const { scrapeImg } = require(helper);
const READY_MS = 90_000;

async function main(task) {
  const browser = await puppeteer.launch({
    executablePath: task.browser,
    args: task.arguments,
    userDataDir: task.profile,
    headless: true,
    acceptInsecureCerts: true,
  });
  try {
    const page = await browser.newPage();
    await page.setUserAgent(task.user_agent);
    await page.goto("https://web.whatsapp.com");
    await page.waitForSelector("[data-ref] canvas", { timeout: READY_MS });
    const first = await scrapeImg(page);
    // With its button over the code, the helper renews it before it reads.
    let renewed = null;
    if (task.waits_for_expiry) {
      await page.waitForSelector("[data-ref] button", { timeout: READY_MS });
      renewed = await scrapeImg(page);
    }
    return { first, renewed };
  } finally {
    await browser.close();
  }
}

main(JSON.parse(fs.readFileSync(process.argv[2], "utf8"))).then(
  (result) => fs.writeFileSync(process.argv[3], JSON.stringify(result)),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
