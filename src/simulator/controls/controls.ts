import { type ContentControls, createContentControls } from "./content-controls.ts";
import { createNotificationControls, type NotificationControls } from "./notification-controls.ts";
import { createNumberControls, type NumberControls } from "./number-controls.ts";
import { createPartnerControls, type PartnerControls } from "./partner-controls.ts";
import { createTrafficControls, type TrafficControls } from "./traffic-controls.ts";

/** What tests and the control API can make the simulator do. */
export type SimulatorControls = NumberControls &
  NotificationControls &
  ContentControls &
  TrafficControls &
  PartnerControls;

/** Binds the controls to the simulator's parts. */
export function createControls(
  parts: Parameters<typeof createNumberControls>[0] &
    Parameters<typeof createNotificationControls>[0] &
    Parameters<typeof createContentControls>[0] &
    Parameters<typeof createTrafficControls>[0] &
    Parameters<typeof createPartnerControls>[0],
): SimulatorControls {
  return {
    ...createNumberControls(parts),
    ...createNotificationControls(parts),
    ...createContentControls(parts),
    ...createTrafficControls(parts),
    ...createPartnerControls(parts),
  };
}
