import { ApiError, NotFound } from "../errors.ts";
import type { DirectoryNumber } from "./directory.ts";

/** What a call says about its number; ids as written in path, header and query. */
export type NumberWish = {
  pathId: string | undefined;
  headerId: string | undefined;
  queryId: string | undefined;
};

/**
 * The number that a call goes out on: what the call names, else the token's
 * only number, else the tenant's only number. An id in the path may also be a WABA of the tenant:
 * then any running number of it will do.
 * @throws {NotFound} for a number that is not the tenant's, or outside the token
 * @throws {ApiError} `phone_number_conflict`, `phone_number_required`
 */
export function chooseNumber(
  wish: NumberWish,
  own: { numbers: readonly DirectoryNumber[]; among: readonly string[] | null },
): DirectoryNumber {
  const allowed =
    own.among === null
      ? own.numbers
      : own.numbers.filter((number) => own.among?.includes(number.phoneNumberId));
  // Each name stands for one number, or for those of a WABA; the call goes to what all mean.
  const { pathId, headerId, queryId } = wish;
  let agreed = pathId === undefined ? undefined : named(pathId, { allowed, orWaba: true });
  for (const id of [headerId, queryId]) {
    if (id !== undefined) {
      const meant = named(id, { allowed, orWaba: false });
      agreed = agreed === undefined ? meant : agreed.filter((number) => meant.includes(number));
    }
  }
  if (agreed === undefined) {
    return onlyOne(allowed);
  }
  const [first] = agreed;
  if (first === undefined) {
    throw new ApiError(
      "phone_number_conflict",
      "Path, X-Phone-Number-Id and ?phone_number_id= name different numbers; name one.",
    );
  }
  return agreed.find((number) => number.state === "running") ?? first;
}

function named(
  id: string,
  among: { allowed: readonly DirectoryNumber[]; orWaba: boolean },
): DirectoryNumber[] {
  const { allowed, orWaba } = among;
  const number = allowed.find(({ phoneNumberId }) => phoneNumberId === id);
  if (number !== undefined) {
    return [number];
  }
  const ofWaba = orWaba ? allowed.filter(({ wabaId }) => wabaId === id) : [];
  if (ofWaba.length === 0) {
    throw new NotFound();
  }
  return ofWaba;
}

function onlyOne(allowed: readonly DirectoryNumber[]): DirectoryNumber {
  const [first] = allowed;
  if (first === undefined) {
    throw new NotFound();
  }
  if (allowed.length > 1) {
    throw new ApiError(
      "phone_number_required",
      "There is more than one number; name it in the path, in X-Phone-Number-Id or in ?phone_number_id=.",
    );
  }
  return first;
}
