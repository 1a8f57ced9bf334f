import { describe, expect, it } from "vitest";
import { checkWebhookUrl } from "../../../../../src/simulator/messaging-api/webhooks/webhook-url.ts";

describe("checkWebhookUrl", () => {
  it.each([
    "https://subdomain.yourwebhook.example.com",
    "https://example.com/an_underscore/in:the?path=is_fine",
    "http://127.0.0.1:8080/hook",
    "http://localhost:8080/hook",
    "https://[::1]:8080/hook",
  ])("takes %s", (url) => {
    expect(checkWebhookUrl(url, { allowLoopback: true })).toBeUndefined();
  });

  it.each([
    ["not a url", "url is not a valid URL"],
    ["http://example.com/hook", "url must use https"],
    ["ftp://127.0.0.1/hook", "url must use https"],
    ["http://127.0.0.1.example.com/hook", "url must use https"],
    ["https://your_webhook.example.com", "url must not have an underscore in its domain"],
    ["https://example.com:3000/hook", "url must not have a port in its domain"],
    ["https://example.com:443/hook", "url must not have a port in its domain"],
  ])("refuses %s", (url, reason) => {
    expect(checkWebhookUrl(url, { allowLoopback: true })).toBe(reason);
  });

  it("refuses loopback with a port when told to be as strict as the real one", () => {
    expect(checkWebhookUrl("http://127.0.0.1:8080/", { allowLoopback: false })).toBeDefined();
    expect(checkWebhookUrl("https://127.0.0.1:8080/", { allowLoopback: false })).toBeDefined();
  });
});
