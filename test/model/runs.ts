/** How many random histories each model is led through; `npm run test:property` asks for more. */
export const RUNS = Number(process.env['RUNS'] ?? 400);
