-- What wrk measured, as one line of JSON. `wrk ... URL -- BYTES` posts a body of so many bytes.
function init(args)
   if args[1] then
      wrk.method = "POST"
      wrk.body = string.rep("x", tonumber(args[1]))
      wrk.headers["Content-Type"] = "application/octet-stream"
   end
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '{"requests":%d,"microseconds":%d,"bytes":%d,"p50":%d,"p99":%d,"p999":%d,' ..
         '"errors":{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}}\n',
      summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
      latency:percentile(99.9), errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
