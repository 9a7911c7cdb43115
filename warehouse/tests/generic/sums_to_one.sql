{# The shares of a group add up to 1 in every row where they are known. A group is a list of
   columns, or the prefix of columns named <prefix>_..._share. #}
{% test sums_to_one(model, groups) %}

{%- set sums = [] -%}
{%- if execute -%}
    {%- set names = adapter.get_columns_in_relation(model) | map(attribute='name') | list -%}
    {%- for group in groups -%}
        {%- set shares = [] -%}
        {%- for name in names -%}
            {%- if (group is mapping and name.startswith(group.prefix ~ '_') and name.endswith('_share'))
                or (group is not mapping and name in group) -%}
                {%- do shares.append('coalesce(' ~ name ~ ', 0)') -%}
            {%- endif -%}
        {%- endfor -%}
        {%- do sums.append(shares | join(' + ')) -%}
    {%- endfor -%}
{%- endif %}

select *
from {{ model }}
where
    {%- for sum in sums %}
    ({{ sum }}) not between 1 - 1e-9 and 1 + 1e-9 and ({{ sum }}) <> 0 or
    {%- endfor %}
    false

{% endtest %}
