import { createHash } from "node:crypto";
import type { Reply } from "../../http/route.ts";
import type { Refusal } from "./refusals.ts";
import type { ReturnOutcome } from "./take-return.ts";

type Words = { status: number; code: string; title: string; text: string };

const REFUSED: Record<Refusal, Omit<Words, "code">> = {
  link_invalid: {
    status: 403,
    title: "This link is not valid",
    text: "It was not made here, or it has been changed. Nothing was connected. Please ask for a new link.",
  },
  link_used: {
    status: 409,
    title: "This link has been used",
    text: "Each link works once. Nothing was changed now. If a number is still missing, please ask for a new link.",
  },
  link_expired: {
    status: 410,
    title: "This link has expired",
    text: "Nothing was connected. Please ask for a new link.",
  },
  query_invalid: {
    status: 400,
    title: "The answer could not be read",
    text: "What 360dialog's page sent here has an unknown form. Nothing was connected. Please open the link once more.",
  },
  client_unverified: {
    status: 403,
    title: "These numbers could not be verified",
    text: "360dialog does not confirm that this account has these numbers. Nothing was connected. Please ask for a new link.",
  },
  channel_taken: {
    status: 409,
    title: "These numbers are in use elsewhere",
    text: "This account or one of its numbers is connected to somebody else here. Nothing was connected or changed. Please speak with whoever sent you the link.",
  },
};

const count = (many: number, one: string): string => `${many} ${one}${many === 1 ? "" : "s"}`;

/** What happened, for the customer who comes back from 360dialog's page. */
function wordsOf(outcome: ReturnOutcome): Words {
  switch (outcome.kind) {
    case "accepted": {
      const { channelCount, revokedCount } = outcome;
      const shared =
        channelCount === 0
          ? "No number was shared."
          : `${count(channelCount, "number")} will be connected as soon as 360dialog has it ready. There is nothing more for you to do.`;
      const revoked =
        revokedCount === 0
          ? ""
          : ` For ${count(revokedCount, "number")} you have taken the permission back.`;
      const text = `${shared}${revoked} You may close this page.`;
      return { status: 200, code: "accepted", title: "Thank you", text };
    }
    case "needs_confirmation":
      return {
        status: 202,
        code: "needs_confirmation",
        title: "Thank you, one more check",
        text: "Your numbers will be connected when we have confirmed that the account is yours. There is nothing more for you to do, and you may close this page.",
      };
    case "nothing_shared":
      return {
        status: 200,
        code: "nothing_shared",
        title: "Nothing was shared",
        text: "You came back without choosing a number. You can open the link once more.",
      };
    case "unreachable":
      return {
        status: 502,
        code: "upstream_unreachable",
        title: "360dialog did not answer",
        text: "What you have chosen could not be verified yet. Please reload this page in a minute.",
      };
    case "refused":
      return { code: outcome.code, ...REFUSED[outcome.code] };
    default:
      return outcome satisfies never;
  }
}

const STYLE =
  "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem}@media(prefers-color-scheme:dark){body{background:#111;color:#eee}}";

// Nothing but this one style sheet is ever loaded or run, and no frame may hold the page.
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** A page of our own words only: nothing that came in the query is on it. */
export function returnPage(outcome: ReturnOutcome): Reply {
  const { status, code, title, text } = wordsOf(outcome);
  return {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": POLICY,
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
    body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main data-code="${code}">
<h1>${title}</h1>
<p>${text}</p>
</main>
</body>
</html>
`,
  };
}
