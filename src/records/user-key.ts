/**
 * What a recipient is compared by. A phone is written in many ways (`+49 (151) …`), so only its
 * digits count; a group's id is digits already. A business-scoped id holds letters and counts as it is.
 */
export function userKey(recipient: string | null | undefined): string | null {
  if (recipient === null || recipient === undefined) {
    return null;
  }
  if (/^\d+$/.test(recipient)) {
    return recipient;
  }
  const key = /\p{L}/u.test(recipient) ? recipient : recipient.replaceAll(/\D/g, "");
  return key === "" ? null : key;
}
