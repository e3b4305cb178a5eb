// jwt-simple as its documentation had it: no algorithm is given.

const crypto = require('node:crypto')
const jwt = require('jwt-simple')
const { serve } = require('./contract')

const pair = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 })
const secret = pair.privateKey.export({ type: 'pkcs1', format: 'pem' })
const open = pair.publicKey.export({ type: 'spki', format: 'pem' })

serve({
  issue: claims => jwt.encode(claims, secret, 'RS256'),
  verify: token => jwt.decode(token, open),
  jwks: { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), use: 'sig' }] }
})
