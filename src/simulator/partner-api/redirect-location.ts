/**
 * Where the browser goes after consent. The lists are bare ids in brackets, neither quoted nor JSON,
 * and stand in the query as they are, as 360dialog writes them.
 */
export function redirectLocation(
  redirectUrl: string,
  told: {
    clientId: string;
    channels: readonly string[];
    revoked: readonly string[];
    state?: string;
  },
): string {
  const pairs = [
    `client=${told.clientId}`,
    `channels=[${told.channels.join(",")}]`,
    ...(told.revoked.length === 0 ? [] : [`revoked=[${told.revoked.join(",")}]`]),
    ...(told.state === undefined ? [] : [`state=${encodeURIComponent(told.state)}`]),
  ];
  return `${redirectUrl}${redirectUrl.includes("?") ? "&" : "?"}${pairs.join("&")}`;
}
