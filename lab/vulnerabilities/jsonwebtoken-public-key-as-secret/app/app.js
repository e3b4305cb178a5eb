// jsonwebtoken as tutorials had it: a public key is given, and the token says by which algorithm it was signed.

const crypto = require('node:crypto')
const jwt = require('jsonwebtoken')
const { serve } = require('./contract')

const pair = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 })
const secret = pair.privateKey.export({ type: 'pkcs1', format: 'pem' })
const open = pair.publicKey.export({ type: 'spki', format: 'pem' })

serve({
  issue: claims => jwt.sign(claims, secret, { algorithm: 'RS256' }),
  verify: token => jwt.verify(token, open),
  jwks: { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), use: 'sig' }] }
})
