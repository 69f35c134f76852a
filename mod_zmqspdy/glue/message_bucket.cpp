#include "mod_zmqspdy/glue/message_bucket.hpp"

#include <new>
#include <utility>

namespace zmqspdy::glue {

namespace {

struct SharedMessage {
    apr_bucket_refcount refcount;  // first: APR's shared buckets find it there
    std::shared_ptr<const zmq::message_t> message;
    const char* data;
};

apr_status_t read(apr_bucket* bucket, const char** data, apr_size_t* length, apr_read_type_e) noexcept {
    *data = static_cast<SharedMessage*>(bucket->data)->data + bucket->start;
    *length = bucket->length;
    return APR_SUCCESS;
}

void destroy(void* data) noexcept {
    if (!apr_bucket_shared_destroy(data))
        return;
    auto* const shared = static_cast<SharedMessage*>(data);
    shared->~SharedMessage();
    apr_bucket_free(shared);
}

// The message is on the heap and counted: it may outlive the request without further ado.
const apr_bucket_type_t kMessageBucket = {"ZMQSPDY",
                                          5,
                                          apr_bucket_type_t::APR_BUCKET_DATA,
                                          destroy,
                                          read,
                                          apr_bucket_setaside_noop,
                                          apr_bucket_shared_split,
                                          apr_bucket_shared_copy};

}  // namespace

apr_bucket* make_message_bucket(std::shared_ptr<const zmq::message_t> message, spdy::Bytes payload,
                                apr_bucket_alloc_t* allocator) {
    if (!message)
        return apr_bucket_heap_create(reinterpret_cast<const char*>(payload.data()), payload.size(), nullptr,
                                      allocator);
    auto* const bucket = static_cast<apr_bucket*>(apr_bucket_alloc(sizeof(apr_bucket), allocator));
    APR_BUCKET_INIT(bucket);
    bucket->free = apr_bucket_free;
    bucket->list = allocator;
    auto* const shared = new (apr_bucket_alloc(sizeof(SharedMessage), allocator))
        SharedMessage{{}, std::move(message), reinterpret_cast<const char*>(payload.data())};
    apr_bucket_shared_make(bucket, shared, 0, payload.size());
    bucket->type = &kMessageBucket;
    return bucket;
}

}  // namespace zmqspdy::glue
