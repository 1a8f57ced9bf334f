/** Meta's code for too many registrations of a number in 72 hours. */
const TOO_MANY_REGISTRATIONS = 133016;

/** 360dialog's own words for it: registrations, and that there were too many or that they are blocked. */
const IN_WORDS = /registration/i;
const TOO_MANY_IN_WORDS = /too many|limit|block|exceed/i;

/** Whether a refusal of a registration says that the number is blocked: for 72 hours from now. */
export function isRegistrationBlock(refusal: { code?: number; detail: string }): boolean {
  const { code, detail } = refusal;
  return (
    code === TOO_MANY_REGISTRATIONS || (IN_WORDS.test(detail) && TOO_MANY_IN_WORDS.test(detail))
  );
}
