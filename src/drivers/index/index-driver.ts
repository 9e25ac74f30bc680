import type { ResourcePlace } from "../../core/cutover/resources.ts";
import type { Clock } from "../../ports/clock.ts";
import type { IndexAliases } from "../../ports/index-alias.ts";

/** How a driver is opened: where its product is, and the clock that its deadlines are measured by. */
export interface IndexPlace extends Pick<ResourcePlace, "url" | "secretFile"> {
  readonly clock: Clock;
}

/** One product that keeps indexes behind a public name. */
export interface IndexDriverFace {
  readonly product: string;
  /** Connects with the first question, not before. Throws on an address that cannot be one. */
  readonly open: (place: IndexPlace) => IndexAliases;
}
