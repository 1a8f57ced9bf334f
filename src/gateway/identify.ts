import type { IncomingMessage } from "node:http";
import { ApiError } from "../errors.ts";
import type { TenantCaller } from "../http/caller.ts";
import type { CallRecord } from "../http/call-record.ts";
import { type Soon, whenThere } from "../soon.ts";
import { type Authenticate, demandKind, demandScope } from "../tenancy/authenticate.ts";
import { chooseNumber } from "../tenancy/choose-number.ts";
import type { Directory, DirectoryNumber, DirectoryTenant } from "../tenancy/directory.ts";
import { credentialOf } from "./credential.ts";
import type { FoundOperation } from "./find-operation.ts";
import type { Operation } from "./operations.ts";
import type { ParsedPath } from "./parse-path.ts";
import type { Target } from "./read-target.ts";

/** A call of which everything is known that its path, its query and its headers say. */
export type IdentifiedCall = {
  parsed: ParsedPath;
  caller: TenantCaller;
  operation: Operation;
  /** Where it goes, without its query. */
  upstreamPath: string;
  number: DirectoryNumber;
};

export type Identify = (
  req: IncomingMessage,
  target: Target,
  record: CallRecord,
) => Soon<IdentifiedCall>;

/** The number that a media id was seen on, if it was: by an upload, or in a message. */
type FindNumberOfMedia = (tenantId: string, mediaId: string) => Promise<string | undefined>;

/**
 * Who calls, what they may call, and on which number; in this order, so that nobody learns of an
 * operation without a token, or of a number without its scope. The record is told as it is found.
 */
export function createIdentify(options: {
  authenticate: Authenticate;
  directory: Pick<Directory, "findTenant">;
  findNumberOfMedia: FindNumberOfMedia;
}): Identify {
  const { authenticate, directory, findNumberOfMedia } = options;

  return (req, target, record) =>
    whenThere(authenticate(credentialOf(req, target.parsed.queryToken)), (anyone) => {
      const caller = demandKind(anyone, "tenant");
      record.caller = caller;
      return whenThere(directory.findTenant(caller.tenantId), (tenant) =>
        findNumber({ req, target, record, caller, tenant }),
      );
    });

  function findNumber(call: {
    req: IncomingMessage;
    target: Target;
    record: CallRecord;
    caller: TenantCaller;
    tenant: DirectoryTenant | undefined;
  }): Soon<IdentifiedCall> {
    const { req, record, caller, tenant } = call;
    const { parsed, found } = call.target;
    if (found === undefined || tenant === undefined || isOwnId(found, parsed, tenant)) {
      throw unknownOperation(req.method ?? "");
    }
    const { operation, upstreamPath } = found;
    record.operation = operation.operationId;
    demandScope(caller, operation.scope);

    const header = req.headers["x-phone-number-id"];
    const headerId = typeof header === "string" && header !== "" ? header : undefined;
    const own = { numbers: tenant.numbers, among: caller.phoneNumberIds };
    const seen = isNamed(parsed, headerId) ? undefined : seenOn(found, parsed, own);
    return whenThere(seen, (seenId) => {
      const queryId = parsed.queryNumberId ?? seenId;
      const number = chooseNumber({ pathId: parsed.pathId, headerId, queryId }, own);
      record.phoneNumberId = number.phoneNumberId;
      return { parsed, caller, operation, upstreamPath, number };
    });
  }

  /** Only where there is a choice: then for a media id, the number it was seen on. */
  async function seenOn(
    { operation }: FoundOperation,
    parsed: ParsedPath,
    own: { numbers: readonly DirectoryNumber[]; among: readonly string[] | null },
  ): Promise<string | undefined> {
    const mediaId = mediaIdOf(operation, parsed);
    const tenantId = own.numbers[0]?.tenantId;
    if (mediaId === undefined || tenantId === undefined || own.numbers.length === 1) {
      return undefined;
    }
    const id = await findNumberOfMedia(tenantId, mediaId);
    const isOwn = own.numbers.some(({ phoneNumberId }) => phoneNumberId === id);
    return isOwn && id !== undefined && own.among?.includes(id) !== false ? id : undefined;
  }
}

function isNamed(parsed: ParsedPath, headerId: string | undefined): boolean {
  return (parsed.pathId ?? headerId ?? parsed.queryNumberId) !== undefined;
}

function mediaIdOf(operation: Operation, parsed: ParsedPath): string | undefined {
  if (operation.kind === "download") {
    return new URLSearchParams(parsed.search).get("mid") ?? undefined;
  }
  return operation.level === "media" ? parsed.segments[0] : undefined;
}

/** A bare id is a media id, unless it is one of the tenant's own: 360dialog has no such node. */
function isOwnId(
  { operation }: FoundOperation,
  { segments: [id] }: ParsedPath,
  { numbers }: DirectoryTenant,
): boolean {
  return (
    operation.level === "media" &&
    numbers.some((number) => number.phoneNumberId === id || number.wabaId === id)
  );
}

function unknownOperation(method: string): ApiError {
  return new ApiError(
    "unknown_operation",
    `This gateway offers no such WhatsApp operation with ${method}; nothing was called.`,
  );
}
