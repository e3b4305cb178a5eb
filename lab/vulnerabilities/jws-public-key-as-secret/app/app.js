// jws with a key pair.

const crypto = require('node:crypto')
const jws = require('jws')
const { version } = require('jws/package.json')
const { serve } = require('./contract')

const pair = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 })
const secret = pair.privateKey.export({ type: 'pkcs1', format: 'pem' })
const open = pair.publicKey.export({ type: 'spki', format: 'pem' })

// Version 2 takes the token and the key; version 3 wants the algorithm between them.
const isOld = version.startsWith('2.')
const verified = token => isOld ? jws.verify(token, open) : jws.verify(token, 'RS256', open)

serve({
  issue: payload => jws.sign({ header: { alg: 'RS256', typ: 'JWT' }, payload, secret }),
  verify: token => {
    if (!verified(token)) throw new Error('invalid')
    return jws.decode(token).payload
  },
  jwks: { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), use: 'sig' }] }
})
