import { randomBytes } from 'node:crypto';

const random = () => randomBytes(32).toString('hex');

// A number is one of seconds.
export const access = {
  secret: process.env.LAB_SECRET ?? random(),
  expiresIn: Number(process.env.LAB_ACCESS_LIFETIME) || ('15m' as const),
};
export const refresh = {
  secret: process.env.LAB_REFRESH_SECRET ?? random(),
  expiresIn: Number(process.env.LAB_REFRESH_LIFETIME) || ('7d' as const),
};
