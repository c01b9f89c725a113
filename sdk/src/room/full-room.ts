import { People } from '../timeline/people.js';
import { Timeline, type TimelineOptions } from '../timeline/timeline.js';
import { type Body, Room } from './room.js';

/** A room with what a chat shows of it. */
export class FullRoom<B = Body> extends Room<B> {
  /** Its messages as a list: live and history merged, with one's own sends. A new one each time. */
  timeline(options?: TimelineOptions): Timeline<B> {
    return new Timeline<B>(this, this.port, options);
  }

  /** The users that are present or typing. A new one each time. */
  people(): People {
    return new People(this, this.port);
  }
}
