const BUSINESS_SCOPED_ID = /^[A-Z]{2}\.[A-Za-z0-9.]{1,150}$/;
const PHONE_NUMBER = /^\d{3,20}$/;
/** What people write between the digits of a phone number. */
const PUNCTUATION = /[\s()+./-]/g;

/**
 * A user as we write them down: the phone number in digits, or the business-scoped id (BSUID) as it
 * is. `undefined` for what names nobody.
 */
export function parseUser(value: unknown): string | undefined {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string") {
    return undefined;
  }
  if (BUSINESS_SCOPED_ID.test(text)) {
    return text;
  }
  const digits = text.replaceAll(PUNCTUATION, "");
  return PHONE_NUMBER.test(digits) ? digits : undefined;
}

export function isPhoneNumber(user: string): boolean {
  return PHONE_NUMBER.test(user);
}

/**
 * Mobile numbers that people dial with a digit more, or less, than their `wa_id` has: Brazil's 9,
 * Mexico's 1, Argentina's 9.
 */
const OTHER_FORMS: readonly [form: RegExp, other: string][] = [
  [/^55(\d\d)9(\d{8})$/, "55$1$2"],
  [/^55(\d\d)([6-9]\d{7})$/, "55$19$2"],
  [/^521(\d{10})$/, "52$1"],
  [/^52(\d{10})$/, "521$1"],
  [/^549(\d{10})$/, "54$1"],
  [/^54(\d{10})$/, "549$1"],
];

/** Every form under which WhatsApp may know this user, the given one first. */
export function formsOf(user: string): string[] {
  const others = OTHER_FORMS.flatMap(([form, other]) =>
    form.test(user) ? [user.replace(form, other)] : [],
  );
  return [user, ...others];
}
