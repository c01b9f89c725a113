import type { Console } from '../model/console/console.js';
import type { Place } from '../model/console/place.js';
import type { Rights } from '../model/console/rights.js';

/** Every page of the console gets the same. */
export interface PageProps {
  console: Console;
  rights: Rights;
  place: Place;
}
