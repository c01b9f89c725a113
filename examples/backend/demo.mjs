/** Walks through examples/backend/wardroom.mjs: `node demo.mjs <name of a room>`. */
import { createRoom, join, publish, publishAs, signIn, signOut } from './wardroom.mjs';

const room = process.argv[2];
await createRoom(room, 'Orders');
const tokens = await signIn('customer-7', 'Cleo');
console.log(`signed in: session ${tokens.session_id}`);
await join('customer-7', room);
await publish(room, 'Your order is on its way.', 'order-1');
await publish(room, 'Your order is on its way.', 'order-1');
const { seq } = await publishAs('customer-7', room, 'Thank you!', 'thanks-1');
console.log(`published: ${seq} messages`);
const { effective, sessions } = await signOut('customer-7');
console.log(`signed out: effective ${effective}, sessions ${sessions}`);
