import { defineConfig } from 'prisma/config';

/** For the Prisma CLI only (`prisma migrate deploy`, `prisma studio`); the server reads its own configuration. */
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env['DATABASE_URL'] ?? '' },
});
