import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CERTIFICATE } from "./certificate.ts";
import {
  type Client,
  ClientFailure,
  type ErrorAnswer,
  type SendAnswer,
  wamidOf,
} from "./driver.ts";
import type { MetaCall, MetaReply } from "./meta-whatsapp-process.ts";
import * as written from "./written-messages.ts";

const children = new Set<{ child: ChildProcess; directory: string }>();

/** Meta's own reads its environment and trusts what the process trusts: it gets one of its own. */
export const metaWhatsApp: Client = {
  name: "whatsapp 0.0.5-Alpha",
  needsTls: true,
  notOffered: {
    reaction: "no such method",
    upload: "no media methods",
    lookUp: "no media methods",
    download: "no media methods",
    downloadWithoutCredential: "no media methods",
    delete: "no media methods",
    listTemplates: "no such method",
  },
  async open({ url, token, phoneNumberId, wabaId }) {
    const directory = mkdtempSync(join(tmpdir(), "wg-ca-"));
    writeFileSync(join(directory, "ca.pem"), CERTIFICATE);
    const child = fork(join(import.meta.dirname, "meta-whatsapp-process.ts"), [new URL(url).port], {
      env: {
        // Otherwise it wants dotenv, which it does not bring.
        NODE_ENV: "production",
        NODE_EXTRA_CA_CERTS: join(directory, "ca.pem"),
        WA_BASE_URL: "127.0.0.1",
        WA_PHONE_NUMBER_ID: phoneNumberId,
        WA_BUSINESS_ACCOUNT_ID: wabaId,
        CLOUD_API_VERSION: "v23.0",
        CLOUD_API_ACCESS_TOKEN: token,
      },
    });
    children.add({ child, directory });
    await once(child, "message");

    const waiting = new Map<number, (reply: MetaReply) => void>();
    child.on("message", (reply: MetaReply) => waiting.get(reply.id)?.(reply));
    let calls = 0;
    const call = async (method: string, ...input: unknown[]): Promise<unknown> => {
      const id = ++calls;
      const replied = new Promise<MetaReply>((resolve) => waiting.set(id, resolve));
      child.send({ id, method, input } satisfies MetaCall);
      const { status, body } = await replied;
      if (status !== 200) {
        // It throws nothing; its user looks at statusCode().
        const { code } = (body as ErrorAnswer).error;
        throw new ClientFailure({ kind: "statusCode()", status, code }, body);
      }
      return body;
    };
    const send = async (method: string, content: object, to: string) =>
      wamidOf((await call(method, content, Number(to))) as SendAnswer);
    return {
      text: (to, body) => send("text", { body }, to),
      imageById: (to, id) => send("image", { id }, to),
      imageByLink: (to, link) => send("image", { link }, to),
      buttons: (to) => send("interactive", written.buttons.interactive, to),
      list: (to) => send("interactive", written.list.interactive, to),
      template: (to, name) => send("template", written.template(name).template, to),
      async readAndTyping(message_id) {
        const typing_indicator = { type: "text" };
        const answer = await call("status", { status: "read", message_id, typing_indicator });
        return (answer as { success: boolean }).success;
      },
    };
  },
  close() {
    for (const { child, directory } of children) {
      child.disconnect();
      rmSync(directory, { recursive: true, force: true });
    }
    children.clear();
  },
};
