#include "plan.h"

#include <string.h>

enum { EXTENT_SIZE = 12 };

static bool parse_map(struct cursor body, struct id_map *map);

const char *parse_id_maps(struct cursor *records, struct setup *setup)
{
    if (records->left == 0 || records->at[0] != 'U')
        return NULL;
    bool whole = parse_map(take_record(records, 'U'), &setup->uids) &&
                 parse_map(take_record(records, 'G'), &setup->gids);
    if (!whole || !(setup->namespaces & NAMESPACE_USER))
        return "the id maps are broken";
    return NULL;
}

static bool parse_map(struct cursor body, struct id_map *map)
{
    map->tool = take_string(&body);
    map->count = (uint32_t)(body.left / EXTENT_SIZE);
    map->extents = body;
    if (body.broken || body.left % EXTENT_SIZE != 0 || map->count == 0 || map->count > MOST_EXTENTS)
        return false;
    for (uint32_t index = 0; index < map->count; index++) {
        struct extent extent = extent_at(map, index);
        if (extent.count == 0 || extent.inside > UINT32_MAX - extent.count ||
            extent.outside > UINT32_MAX - extent.count)
            return false;
    }
    return *map->tool == '\0' || *map->tool == '/';
}

struct extent extent_at(const struct id_map *map, uint32_t index)
{
    if (map->extents.left == 0)
        return map->one;
    struct cursor cursor = map->extents;
    take_bytes(&cursor, (size_t)index * EXTENT_SIZE);
    uint32_t inside = take_u32(&cursor);
    uint32_t outside = take_u32(&cursor);
    return (struct extent){inside, outside, take_u32(&cursor)};
}

struct id_map one_id(uint32_t inside, uint32_t outside)
{
    return (struct id_map){.tool = "", .count = 1, .one = {inside, outside, 1}};
}
