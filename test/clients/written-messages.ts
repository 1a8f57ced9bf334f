/** Messages that the user of a client writes out, in clients that take them as they are. */

export const buttons = {
  type: "interactive",
  interactive: {
    type: "button",
    body: { text: "Sure?" },
    action: { buttons: [{ type: "reply", reply: { id: "yes", title: "Yes" } }] },
  },
};

export const list = {
  type: "interactive",
  interactive: {
    type: "list",
    body: { text: "Which?" },
    action: {
      button: "Choose",
      sections: [{ title: "All", rows: [{ id: "1", title: "One" }] }],
    },
  },
};

export const template = (name: string) => ({
  type: "template",
  template: {
    name,
    language: { code: "en_US" },
    components: [{ type: "body", parameters: [{ type: "text", text: "Ada" }] }],
  },
});

export const reaction = (messageId: string, emoji: string) => ({
  type: "reaction",
  reaction: { message_id: messageId, emoji },
});
