// node-jose as its documentation has it.

const crypto = require('node:crypto')
const jose = require('node-jose')
const { serve } = require('./contract')

const pair = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 })
const key = jose.JWK.asKey(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), 'pem')

serve({
  issue: async claims => jose.JWS.createSign({ format: 'compact', fields: { alg: 'RS256' } }, await key)
    .update(JSON.stringify(claims)).final(),
  verify: async token => JSON.parse((await jose.JWS.createVerify(await key).verify(token)).payload),
  jwks: { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), use: 'sig' }] }
})
