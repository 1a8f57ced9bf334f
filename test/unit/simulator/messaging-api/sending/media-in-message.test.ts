import { describe, expect, it } from "vitest";
import { mediaIdsIn } from "../../../../../src/simulator/messaging-api/sending/media-in-message.ts";

describe("mediaIdsIn", () => {
  it.each([
    ["its own block", { type: "image", image: { id: "1" } }, ["1"]],
    ["a number", { video: { id: 1 } }, ["1"]],
    ["a link", { image: { link: "https://example.com/a.jpg" } }, []],
    ["a header", { interactive: { header: { type: "document", document: { id: "1" } } } }, ["1"]],
    [
      "a carousel of a template",
      {
        template: {
          components: [
            {
              type: "carousel",
              cards: [
                {
                  components: [
                    { type: "header", parameters: [{ type: "image", image: { id: "1" } }] },
                  ],
                },
                {
                  components: [
                    { type: "header", parameters: [{ type: "video", video: { id: "2" } }] },
                  ],
                },
              ],
            },
          ],
        },
      },
      ["1", "2"],
    ],
    ["other ids", { interactive: { action: { buttons: [{ reply: { id: "yes" } }] } } }, []],
  ])("looks into %s", (_name, body, ids) => {
    expect(mediaIdsIn(body)).toEqual(ids);
  });
});
