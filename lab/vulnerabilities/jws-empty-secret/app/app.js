// jws with a secret that is looked up by the key id in the header.

const crypto = require('node:crypto')
const jws = require('jws')
const { serve } = require('./contract')

const secrets = { current: crypto.randomBytes(32).toString('hex') }

serve({
  issue: payload => jws.sign({ header: { alg: 'HS256', typ: 'JWT', kid: 'current' }, payload, secret: secrets.current }),
  verify: token => {
    const { header, payload } = jws.decode(token)
    const isValid = jws.createVerify({ algorithm: 'HS256', signature: token, secret: secrets[header.kid] }).verify()
    if (!isValid) throw new Error('invalid')
    return payload
  }
})
