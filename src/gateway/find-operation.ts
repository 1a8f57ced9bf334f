import { type Operation, OPERATIONS } from "./operations.ts";

/** A row, and the ids that stood in the path for its `{…}`, in order. */
export type FoundOperation = { operation: Operation; upstreamPath: string };

/** Stands for an id in a shape; no path can hold it. */
const ANY_ID = "\0";

const BY_SHAPE = new Map(
  OPERATIONS.map((operation) => [
    `${operation.method} ${operation.path.replaceAll(/\{\w+\}/g, ANY_ID)}`,
    operation,
  ]),
);

/** A segment that stands for an id: nothing that could climb or be read as another path. */
const ID_SEGMENT = /^(?!\.+$)[\w.:~+=-]{1,512}$/;
/** Meta's ids of media are digits; anything else alone in a path is no id but an unknown word. */
const MEDIA_ID = /^\d{1,64}$/;
const UPLOAD = "upload:";

/** The row for a method and a path, or `undefined`. A row without ids comes before one with. */
export function findOperation(
  method: string,
  segments: readonly string[],
): FoundOperation | undefined {
  const path = `/${segments.join("/")}`;
  const asWritten = BY_SHAPE.get(`${method} ${path}`);
  if (asWritten !== undefined && asWritten.path === path) {
    return { operation: asWritten, upstreamPath: asWritten.upstreamPath };
  }
  for (const shape of shapesOf(segments)) {
    const operation = BY_SHAPE.get(`${method} /${shape.join("/")}`);
    const found = operation && fill(operation, shape, segments);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

function fill(
  operation: Operation,
  shape: readonly string[],
  segments: readonly string[],
): FoundOperation | undefined {
  const ids = segments.flatMap((segment, index) => {
    const at = shape[index]?.indexOf(ANY_ID) ?? -1;
    return at === -1 ? [] : [decoded(segment).slice(at)];
  });
  if (operation.level === "media" && !MEDIA_ID.test(segments[0] ?? "")) {
    return undefined;
  }
  const upstreamPath = operation.upstreamPath.replaceAll(/\{\w+\}/g, () => ids.shift() ?? "");
  return { operation, upstreamPath };
}

const SEGMENTS_MAX = 4;

/** The path with each choice of its segments taken for an id. */
function shapesOf(segments: readonly string[]): string[][] {
  if (segments.length === 0 || segments.length > SEGMENTS_MAX) {
    return [];
  }
  return segments.reduce<string[][]>(
    (shapes, segment) => {
      const choices = [segment, ...idShapesOf(decoded(segment))];
      return choices.flatMap((choice) => shapes.map((shape) => [...shape, choice]));
    },
    [[]],
  );
}

function idShapesOf(id: string): string[] {
  if (!ID_SEGMENT.test(id)) {
    return [];
  }
  return id.startsWith(UPLOAD) ? [ANY_ID, UPLOAD + ANY_ID] : [ANY_ID];
}

/** Many clients encode what need not be in an id, such as `upload%3A…`; what does need it is none. */
function decoded(segment: string): string {
  try {
    return segment.includes("%") ? decodeURIComponent(segment) : segment;
  } catch {
    return segment;
  }
}
