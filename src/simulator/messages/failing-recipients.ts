/** An error as a `failed` status carries it. */
export type FailureReason = { code: number; title: string; details: string };

/**
 * Sending to a number that ends in one of these codes is accepted, and ends in a `failed` status
 * with that code: `49170131026` is undeliverable.
 */
export const FAILURE_REASONS: readonly FailureReason[] = [
  {
    code: 130429,
    title: "Rate limit hit",
    details: "Message failed to send because there were too many messages sent in a short time.",
  },
  {
    code: 130472,
    title: "User's number is part of an experiment",
    details: "Failed to send message because this user's phone number is part of an experiment.",
  },
  { code: 131000, title: "Something went wrong", details: "Message failed for unknown reasons." },
  { code: 131026, title: "Message undeliverable", details: "Message Undeliverable." },
  {
    code: 131047,
    title: "Re-engagement message",
    details:
      "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
  },
  {
    code: 131048,
    title: "Spam rate limit hit",
    details: "Message failed to send because there are restrictions on this number.",
  },
  {
    code: 131049,
    title: "Meta chose not to deliver",
    details:
      "This message was not delivered to maintain healthy ecosystem engagement. Please retry at a later time.",
  },
  {
    code: 131053,
    title: "Media upload error",
    details: "Unable to upload the media used in the message.",
  },
  {
    code: 131056,
    title: "(Business Account, Consumer Account) pair rate limit hit",
    details:
      "Message failed to send because there were too many messages sent from this phone number to the same phone number.",
  },
];

/** Why a message to this user fails, if it does. */
export function findFailureReason(user: string): FailureReason | undefined {
  return FAILURE_REASONS.find(({ code }) => user.endsWith(String(code)));
}
