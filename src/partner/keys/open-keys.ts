import { sql } from "kysely";
import { keepLooking } from "../../clock.ts";
import type { Route } from "../../http/route.ts";
import type { ChangeFeed } from "../../store/change-feed.ts";
import { keyRoutes } from "./key-routes.ts";
import { healNext } from "./heal.ts";
import { REJECTION_DUE, tellRejections } from "./key-rejections.ts";
import { lookAtSchedule, SCHEDULE_DUE } from "./key-schedule.ts";
import { createRotateKey } from "./rotate-key.ts";
import { ROTATION_DUE } from "./rotations.ts";
import { KEY_JOB_DUE, workOnKeyJobs } from "./work-key-jobs.ts";

const LOOK_ANYWAY_MS = 60_000;
/** One that hangs must not keep the others waiting. */
const AT_ONCE_MAX = 8;

/** The care of numbers' keys, joined: its routes, and what runs without a call. */
export function openKeys(
  options: Parameters<typeof createRotateKey>[0] & {
    feed: ChangeFeed;
    onError: (error: unknown) => void;
  },
): { routes: Route[]; start: () => { stop: () => Promise<void> } } {
  const { db, feed, partnerApi, onError } = options;
  const rotateKey = createRotateKey(options);
  let jobs: ReturnType<typeof keepLooking> | undefined;
  const underWay = new Set<Promise<void>>();

  function goOn(work: Promise<void>): void {
    const going = work.catch(onError).finally(() => underWay.delete(going));
    underWay.add(going);
  }

  async function takeOver(): Promise<number> {
    const taken = underWay.size < AT_ONCE_MAX ? await rotateKey.takeOver() : undefined;
    if (taken === undefined) {
      return LOOK_ANYWAY_MS;
    }
    goOn(taken.done);
    return 0;
  }

  async function heal(): Promise<number> {
    await tellRejections(db);
    return (await healNext(db, rotateKey)) ? 0 : LOOK_ANYWAY_MS;
  }

  async function workOnJobs(): Promise<number> {
    await lookAtSchedule(db);
    return (await workOnKeyJobs(db, rotateKey)) ?? LOOK_ANYWAY_MS;
  }

  const looking = (look: () => Promise<number>) =>
    keepLooking(() =>
      look().catch((error: unknown) => {
        onError(error);
        return LOOK_ANYWAY_MS;
      }),
    );

  return {
    routes: keyRoutes({ db, rotateKey, partnerApi, poke: () => jobs?.poke() }),
    start() {
      const [rotations, healing] = [looking(takeOver), looking(heal)];
      jobs = looking(workOnJobs);
      feed.pokeWhile(ROTATION_DUE, rotations.poke);
      feed.pokeWhile(REJECTION_DUE, healing.poke);
      feed.pokeWhile(sql<boolean>`${KEY_JOB_DUE} or ${SCHEDULE_DUE}`, jobs.poke);
      return {
        async stop() {
          await Promise.all([rotations.stop(), healing.stop(), jobs?.stop()]);
          await Promise.all(underWay);
        },
      };
    },
  };
}
