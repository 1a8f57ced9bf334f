import { type RawBuilder, sql } from "kysely";

/**
 * Whether a row of the table that is called `alias` has one of these ids. They are found by their
 * hashes: ids are made up, so as they stand they fill an index four times as wide at random places.
 */
export function hasId(alias: "d" | "f", ids: readonly string[]): RawBuilder<boolean> {
  const id = sql.ref(`${alias}.id`);
  const wanted = [...ids];
  return sql<boolean>`(
    hashtextextended(${id}, 0) = any (
      array(select hashtextextended(wanted, 0) from unnest(${wanted}::text[]) wanted))
    and ${id} = any (${wanted}::text[]))`;
}
