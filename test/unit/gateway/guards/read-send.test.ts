import { describe, expect, it } from "vitest";
import { readSend, type Send } from "../../../../src/gateway/guards/read-send.ts";
import type { DirectoryNumber } from "../../../../src/tenancy/directory.ts";

const number: DirectoryNumber = {
  id: "num_1",
  tenantId: "ten_1",
  phoneNumberId: "106540352242922",
  wabaId: "102290129340398",
  state: "running",
  throughput: 80,
  baseUrl: null,
  apiKeySealed: null,
  rotating: false,
  apiKey: () => undefined,
};

function send(fields: Partial<Send>): Send {
  const message = { to: "15550002222", type: "text", text: { body: "x" } };
  const named = { tenantId: "ten_1", number, operation: "sendMessage", recipient: "15550002222" };
  return { ...named, message, ...fields };
}

const BSUID = "US.13491208655302741918";
const template = { name: "order_ready", language: { code: "en_US" } };

describe("readSend", () => {
  it.each<[string, Partial<Send>]>([
    ["what cannot be read", { message: undefined }],
    ["a group", { message: { to: "12036@g.us", recipient_type: "group", type: "text" } }],
    ["nobody", { recipient: undefined, message: { status: "read", message_id: "wamid.1" } }],
    ["a name that is no user's", { recipient: "somebody", message: { to: "somebody" } }],
  ])("passes %s", (_what, fields) => {
    expect(readSend(send(fields)).kind).toBe("passed");
  });

  it.each<[string, Partial<Send>, object]>([
    ["a text", {}, { users: ["15550002222"], kind: "free_form", template: undefined }],
    ["a type that is left out", { message: { text: { body: "x" } } }, { kind: "free_form" }],
    ["a type of tomorrow", { message: { type: "hologram" } }, { kind: "free_form" }],
    ["a punctuated phone number", { recipient: "+1 555 000-2222" }, { users: ["15550002222"] }],
    ["a BSUID", { recipient: BSUID }, { users: [BSUID] }],
    [
      "both of its names",
      { message: { to: "15550002222", recipient: BSUID } },
      { users: ["15550002222", BSUID] },
    ],
    [
      "a template",
      { message: { type: "template", template } },
      { kind: "template", template: { name: "order_ready", language: "en_US" }, marketing: false },
    ],
    [
      "a template without a language",
      { message: { type: "template", template: { name: "order_ready" } } },
      { kind: "template", template: undefined },
    ],
    [
      "a template that is no object",
      { message: { type: "template", template: null } },
      { kind: "template", template: undefined },
    ],
    [
      "a template whose name PostgreSQL cannot hold",
      { message: { type: "template", template: { ...template, name: "a\0" } } },
      { kind: "template", template: undefined },
    ],
    [
      "marketing by its operation",
      { operation: "sendMarketingMessage", message: { type: "template", template } },
      { kind: "template", marketing: true },
    ],
    [
      "an encrypted message",
      { operation: "sendEncryptedMessage", message: {} },
      { kind: "opaque" },
    ],
  ])("reads %s", (_what, fields, subject) => {
    expect(readSend(send(fields))).toMatchObject({ kind: "subject", subject });
  });
});
