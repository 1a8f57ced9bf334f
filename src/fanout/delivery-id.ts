import { type RawBuilder, sql } from "kysely";

// After `dlv_x` the first six bytes of its event's identity, then of a digest of endpoint and identity what has room.
const ID_OF_EVENT = /^dlv_x([0-9a-f]{12})[0-9a-f]{13}$/;
// So far the ids of one event's deliveries are alike. Migration 0031's indexes are of as much.
const ALIKE = sql.lit("dlv_x".length + 12);

/**
 * Whether a row of `delivery d` has one of these ids. It is found by its event, of which the id tells;
 * tenant and endpoint must be given beside it. An index of ids would be written at a page of its own for
 * each delivery, and one of identities is once for each event (docs/decisions/0025).
 */
export function hasLiveId(ids: readonly string[]): RawBuilder<boolean> {
  const identities = ids.flatMap((id) => ID_OF_EVENT.exec(id)?.[1] ?? []);
  const older = ids.filter((id) => !ID_OF_EVENT.test(id));
  const events = sql`event e where substring(e.identity from 1 for 6) = any (
    array(select decode(begin, 'hex') from unnest(${identities}::text[]) begin))`;
  const ofEvents = sql<boolean>`(
    d.event_xid = any (array(select e.xid from ${events}))
    and d.event_seq = any (array(select e.seq from ${events}))
    and d.id = any (${[...ids]}::text[]))`;
  // Made before ids told of events: they have an index of their own.
  const ofBefore = sql<boolean>`(substr(d.id, 5, 1) <> 'x' and ${hasIdByBeginning("d", older)})`;
  const kinds = [
    sql<boolean>`false`,
    ...(identities.length > 0 ? [ofEvents] : []),
    ...(older.length > 0 ? [ofBefore] : []),
  ];
  return sql<boolean>`(${sql.join(kinds, sql` or `)})`;
}

/**
 * Whether a row of the table that is called `alias` has one of these ids. Found by what they begin with, which
 * the deliveries of one event have in common: so their entries in the index stand side by side.
 */
export function hasIdByBeginning(alias: "d" | "f", ids: readonly string[]): RawBuilder<boolean> {
  const id = sql.ref(`${alias}.id`);
  const wanted = [...ids];
  return sql<boolean>`(
    substr(${id}, 1, ${ALIKE}) = any (
      array(select substr(wanted, 1, ${ALIKE}) from unnest(${wanted}::text[]) wanted))
    and ${id} = any (${wanted}::text[]))`;
}
