#include "plan.h"

bool parse_order(const uint8_t *data, size_t size, struct order *order)
{
    struct cursor cursor = cursor_over(data, size);
    order->id = take_u32(&cursor);
    order->namespaces = take_u32(&cursor);
    order->umask = take_u32(&cursor);
    for (int fd = 0; fd < 3; fd++) {
        order->streams[fd] = take_u8(&cursor);
        if (order->streams[fd] != STREAM_NULL && order->streams[fd] != STREAM_PIPE)
            return false;
    }
    order->greeting = cursor;
    return !cursor.broken && order->id != 0 && order->namespaces <= ALL_NAMESPACES &&
           order->umask <= 0777;
}

bool parse_down(const uint8_t *data, size_t size, uint32_t *id, struct cursor *bytes)
{
    *bytes = cursor_over(data, size);
    *id = take_u32(bytes);
    return !bytes->broken && *id != 0;
}
