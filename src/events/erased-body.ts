/** What stands in the place of an event's, a request's or an answer's bytes whose user was erased. */
export const ERASED_BODY = Buffer.from('{"erased":true}');
