/** Whom a message goes to: a phone, a user known by a business-scoped id only, or a group. */
export type Recipient =
  | { kind: "phone"; input: string; waId: string }
  | { kind: "user"; userId: string }
  | { kind: "group"; groupId: string };

/** A send that passed validation. */
export type OutgoingMessage = {
  recipient: Recipient;
  type: string;
  bizOpaqueCallbackData?: string;
};

/** The recipient's id, whatever kind it is. */
export function recipientId(recipient: Recipient): string {
  switch (recipient.kind) {
    case "phone":
      return recipient.waId;
    case "user":
      return recipient.userId;
    case "group":
      return recipient.groupId;
    default:
      return recipient satisfies never;
  }
}
